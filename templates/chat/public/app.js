import { follow } from "./connection.js";

const find = (selector) => document.querySelector(selector);
const list = find("#messages");
const room = new URLSearchParams(location.search).get("room") || "lobby";
const me = await (await fetch("/me")).json(); // null: nobody is signed in

const items = new Map(); // id or key → the message's element
const STATES = { live: "live", connecting: "reconnecting…", stopped: "closed" };

for (const input of document.querySelectorAll("input[name=room]")) input.value = room;
if (me === null) showSignIn();
else showChat();

function showSignIn() {
  find("#chat").hidden = true;
  find("#sign-in").hidden = false;
  find("#sign-in input[name=name]").focus();
}

function showChat() {
  document.title = `#${room}`;
  find("#me").textContent = me;
  find("#chat").hidden = false;
  const input = find("#composer input");
  input.placeholder = `Message #${room}`;
  input.focus();

  const connection = follow(room, {
    state(state, reason) {
      if (state === "signed-out") showSignIn();
      find("#state").dataset.state = state;
      find("#state").textContent = reason || STATES[state];
    },
    message: showMessage,
    gap() {
      for (const item of list.querySelectorAll("li:not(.pending)")) item.remove();
      showNotice("Some of what you missed is no longer kept. These are the latest messages.");
    },
    stored: settle,
    refused: (key, reason) => showRefusal(key, reason, (text) => connection.publish(text, key)),
  });

  find("#composer").onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === "") return;
    input.value = "";
    showPending(connection.publish(text), text);
  };
}

function showMessage({ id, from, time, data }) {
  const item = items.get(id) ?? newItem({ from, text: data.text });
  const sentAt = new Date(time);
  item.classList.remove("pending");
  item.querySelector(".status").textContent = sentAt.toLocaleTimeString([], { timeStyle: "short" });
  item.querySelector(".status").title = sentAt.toLocaleString();
  items.set(id, item);
  insert(item);
}

function showPending(key, text) {
  const item = newItem({ from: me, text });
  item.classList.add("pending");
  item.querySelector(".status").textContent = "sending…";
  items.set(key, item);
  insert(item);
  list.scrollTop = list.scrollHeight;
}

/** A message of ours is stored: it comes, or has come, from the channel as well, and is shown once. */
function settle(key, id) {
  const item = items.get(key);
  items.delete(key);
  if (items.has(id)) item?.remove();
  else if (item !== undefined) items.set(id, item);
}

function showRefusal(key, reason, publish) {
  const item = items.get(key);
  if (item === undefined) return;
  const again = document.createElement("button");
  again.textContent = "try again";
  again.onclick = () => {
    item.classList.remove("failed");
    item.querySelector(".status").textContent = "sending…";
    publish(item.querySelector(".text").textContent);
  };
  item.classList.add("failed");
  item.querySelector(".status").replaceChildren(`not sent: ${reason} `, again);
  item.scrollIntoView({ block: "end" });
}

function showNotice(text) {
  const item = document.createElement("li");
  item.className = "notice";
  item.textContent = text;
  insert(item);
}

/** Text from others goes into the page as text, never as HTML. */
function newItem({ from = "app", text }) {
  const item = find("#message").content.firstElementChild.cloneNode(true);
  item.classList.toggle("mine", from === me);
  item.dataset.from = from;
  item.style.setProperty("--hue", hueOf(from));
  item.querySelector(".from").textContent = from;
  item.querySelector(".text").textContent = text;
  return item;
}

/** Puts an element at the end, before what is still being sent, and stays at the end if the reader was there. */
function insert(item) {
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  list.insertBefore(item, item.classList.contains("pending") ? null : list.querySelector(".pending"));
  const previous = item.previousElementSibling;
  item.classList.toggle(
    "continues",
    item.dataset.from !== undefined && previous?.dataset.from === item.dataset.from,
  );
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function hueOf(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  return hash;
}
