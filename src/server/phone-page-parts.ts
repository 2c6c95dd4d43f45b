/** The look of the phone's page. */
export const PHONE_STYLE = `
  body { place-items: start center }
  main { padding: 1.75rem 0 3rem }
  a { color: light-dark(#1d4ed8, #93b4ff) }
  .brand { font-weight: 650; letter-spacing: -.01em; margin-bottom: 1.25rem }
  .brand::before { content: ""; display: inline-block; width: .75em; height: .75em; margin-right: .5em; border-radius: .25em;
    background: linear-gradient(135deg, #6366f1, #22c55e) }
  #status { display: none; margin: 1.25rem 0; padding: .75rem 1rem; border-radius: .75rem; font-weight: 550;
    background: var(--ground); border: 1px solid var(--line) }
  .js #status { display: flex; align-items: center; gap: .75rem }
  #status::before { content: ""; flex: none; width: .625rem; height: .625rem; border-radius: 50%; background: #d97706;
    animation: pulse 1.2s ease-in-out infinite alternate }
  #status[data-state=trusted]::before { background: #16a34a; animation: none }
  #status[data-state=gone]::before { background: #dc2626; animation: none }
  @keyframes pulse { to { opacity: .25 } }
  @media (prefers-reduced-motion: reduce) { #status::before { animation: none } }
  nav { display: flex; gap: .25rem; padding: .25rem; border-radius: .75rem; background: var(--ground); margin: 1.25rem 0 }
  nav a { flex: 1; padding: .5rem .25rem; border-radius: .5rem; text-align: center; text-decoration: none; font-size: .9375rem;
    color: inherit; white-space: nowrap }
  nav a[aria-current] { background: light-dark(#fff, #34343b); font-weight: 600; box-shadow: 0 1px 2px #0003 }
  ol { list-style: none; counter-reset: step; margin: 0; padding: 0 }
  ol > li { counter-increment: step; position: relative; padding: 0 0 1.25rem 2.5rem; min-height: 1.75rem }
  ol > li::before { content: counter(step); position: absolute; left: 0; top: -.0625rem; width: 1.625rem; height: 1.625rem;
    border-radius: 50%; display: grid; place-items: center; font-size: .875rem; font-weight: 650;
    background: var(--ground); border: 1px solid var(--line) }
  li i { font-style: normal; font-weight: 550 }
  code { overflow-wrap: anywhere }
  .button { display: block; margin: .75rem 0 0; padding: .8125rem 1rem; border-radius: .75rem; text-align: center;
    text-decoration: none; font-weight: 600; color: #fff; background: #4f46e5 }
  .button.plain, #open { color: inherit; background: var(--ground); border: 1px solid var(--line) }
  .trusted #open { color: #fff; background: #15803d; border-color: #15803d }
  .trusted #steps { display: none }
  dl { margin: .5rem 0 0 } dt { font-weight: 550; margin-top: .5rem } dd { margin: 0 }
  details { border-top: 1px solid var(--line); padding: .875rem 0 } summary { cursor: pointer; font-weight: 550 }
  details > :nth-child(2) { margin-top: .5rem } details + details { border-bottom: 1px solid var(--line) }
  p + details { margin-top: 1.75rem } details pre { line-height: 1.8 }
`;

/**
 * Asks over HTTPS until the device lets it, and then goes on to the app. Where chanctl does not answer in the clear
 * either, it is not the trust that is missing. `?stay` keeps who wants to read on.
 */
export const PHONE_SCRIPT = `
  const query = new URLSearchParams(location.search);
  // An iPad calls itself a Mac.
  if (!query.has("for") && /Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1) location.replace("?for=ios");
  document.documentElement.classList.add("js");
  const status = document.getElementById("status");
  const answers = (origin) => fetch(origin + "/_chanctl/phone/check", { cache: "no-store", mode: "no-cors" }).then(() => true, () => false);
  const show = (state, text) => {
    status.dataset.state = state;
    document.documentElement.classList.toggle("trusted", state === "trusted");
    if (status.firstChild.textContent !== text) status.firstChild.textContent = text;
  };
  let isAsking = false;
  const ask = async () => {
    if (isAsking || status.dataset.state === "trusted") return;
    isAsking = true;
    if (await answers("https://" + location.host)) {
      show("trusted", query.has("stay") ? "Trusted on this device." : "Trusted on this device. Opening the app …");
      if (!query.has("stay")) setTimeout(() => location.replace("https://" + location.host + "/"), 1200);
    } else if (await answers(location.origin)) show("untrusted", "Not trusted on this device yet.");
    else show("gone", "chanctl does not answer. Is it running, and is this device on the same network?");
    isAsking = false;
  };
  show("asking", "Looking whether this device trusts it …");
  ask();
  setInterval(ask, 2000);
  addEventListener("focus", ask);
  document.addEventListener("visibilitychange", ask);
`;
