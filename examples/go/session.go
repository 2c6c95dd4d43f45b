package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"example.com/chat/chanctl"
)

// writeSession makes the value of the session cookie, or a bearer token: a name, signed so that nobody can make
// up another's.
func writeSession(name string) string {
	payload := base64.RawURLEncoding.EncodeToString([]byte(name))
	return payload + "." + base64.RawURLEncoding.EncodeToString(sign(payload))
}

// readSession returns the name; false if we did not sign it.
func readSession(session string) (string, bool) {
	payload, signature, _ := strings.Cut(session, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(given, sign(payload)) {
		return "", false
	}
	name, err := base64.RawURLEncoding.DecodeString(payload)
	return string(name), err == nil
}

// sign uses the token as the key: it is the same after a restart, so sessions outlive it.
func sign(payload string) []byte {
	mac := hmac.New(sha256.New, []byte(chanctl.Token()))
	mac.Write([]byte("session " + payload))
	return mac.Sum(nil)
}
