import type { OtherLanguage } from "./other-language.ts";

/**
 * How an app answers chanctl's question, to be written by its author: who may come in. The secret is compared in
 * constant time, for whoever reaches the app's port can ask too (CWE-208).
 */
export function authorizeLines(language: OtherLanguage): readonly string[] {
  return LINES[language];
}

const LINES: Readonly<Record<OtherLanguage, readonly string[]>> = {
  python: [
    `def authorize(authorization, call):  # the header and the JSON body`,
    `    secret = "Bearer " + os.environ["CHANCTL_TOKEN"]`,
    `    if not hmac.compare_digest(authorization.encode(), secret.encode()):`,
    `        return 404, {}`,
    `    user = find_user(call.get("header"), call.get("cookie"))  # yours`,
    `    if user is None:`,
    `        return 200, {"ok": False, "status": 401, "reason": "sign in first"}`,
    `    return 200, {"ok": True, "subject": user.id}`,
  ],
  go: [
    `func authorize(w http.ResponseWriter, r *http.Request) {`,
    `	secret := []byte("Bearer " + os.Getenv("CHANCTL_TOKEN"))`,
    `	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), secret) != 1 {`,
    `		http.NotFound(w, r)`,
    `		return`,
    `	}`,
    `	var call struct{ Cookie string }`,
    `	answer := map[string]any{"ok": false, "status": 401, "reason": "sign in first"}`,
    `	if json.NewDecoder(r.Body).Decode(&call) == nil {`,
    `		if user := findUser(call.Cookie); user != nil { // yours`,
    `			answer = map[string]any{"ok": true, "subject": user.ID}`,
    `		}`,
    `	}`,
    `	w.Header().Set("Content-Type", "application/json")`,
    `	json.NewEncoder(w).Encode(answer)`,
    `}`,
  ],
  ruby: [
    `def authorize(authorization, call) # the header and the JSON body`,
    `  secret = "Bearer #{ENV.fetch("CHANCTL_TOKEN")}"`,
    `  return [404, {}] unless Rack::Utils.secure_compare(authorization, secret)`,
    `  user = find_user(call["header"], call["cookie"]) # yours`,
    `  return [200, { ok: false, status: 401, reason: "sign in first" }] if user.nil?`,
    `  [200, { ok: true, subject: user.id }]`,
    `end`,
  ],
  php: [
    `function authorize(string $authorization, array $call): array // the header and the JSON body`,
    `{`,
    `    if (!hash_equals('Bearer ' . getenv('CHANCTL_TOKEN'), $authorization)) return [404, []];`,
    `    $user = find_user($call['header'] ?? null, $call['cookie'] ?? null); // yours`,
    `    if ($user === null) return [200, ['ok' => false, 'status' => 401, 'reason' => 'sign in first']];`,
    `    return [200, ['ok' => true, 'subject' => $user->id]];`,
    `}`,
  ],
  unknown: [
    `Authorization: Bearer $CHANCTL_TOKEN     compare it, in constant time`,
    `{"channel":"chat","params":{"room":"a"},"operation":"subscribe","cookie":"…"}`,
    ``,
    `200 {"ok":true,"subject":"u1"}     or {"ok":false,"status":401,"reason":"sign in first"}`,
  ],
};
