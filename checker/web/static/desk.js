// The desk without a mouse: Enter checks, Esc clears, the focus returns to the number by itself.
// The page works without this script. Nothing is stored in the browser.
"use strict";

const FORGET_AFTER_MS = 60_000;
// A key alone in the field for the number is a command after this time: a reader or a person who
// types a number is faster, and the next character takes the command back.
const COMMAND_AFTER_MS = 1_000;
const form = document.querySelector("#check");
const place = document.querySelector("#verdict");
const unsure = document.querySelector("#unsure");
const field = (name) => form.elements.namedItem(name);
const number = field("document_number");
const empty = place.dataset.empty === undefined ? "" : place.innerHTML;
let forgetting = 0;
let commanding = 0;
let asking = null;
let zoneWaits = 0;

// The form shows the fields of the chosen service alone.
function showService() {
  const chosen = field("service_type").value;
  for (const fields of form.querySelectorAll("fieldset[data-service]")) {
    const isChosen = fields.dataset.service === chosen;
    fields.hidden = !isChosen;
    fields.disabled = !isChosen;
  }
  for (const button of form.querySelectorAll("[data-for]")) {
    button.hidden = button.dataset.for !== chosen;
  }
}

function clearGuest() {
  number.value = "";
  field("name").value = "";
  zoneWaits = 0;
}

function forget() {
  clearTimeout(forgetting);
  clearTimeout(commanding);
  asking?.abort();
  place.innerHTML = empty;
  if (unsure) unsure.hidden = true;
  clearGuest();
  number.focus();
}

function forgetLater() {
  clearTimeout(forgetting);
  if (place.querySelector("[data-decision], [data-booking]")) {
    forgetting = setTimeout(forget, FORGET_AFTER_MS);
  }
}

// Of a card's line only the first field and the fields that look like a number leave the browser.
function withoutTheRest(text) {
  const fields = text.replaceAll("｜", "|").split("|");
  if (fields.length === 1) return text;
  const isNumber = (part) => /^(\d{17}[\dXx]|\d{15}|[A-Za-z]{3}\d{12})$/.test(part.replace(/[\s-]/g, ""));
  return fields.map((part, at) => (at === 0 || isNumber(part) ? part : "")).join("|");
}

async function post(action, body, signal) {
  const answer = await fetch(action, {
    method: "POST", body, headers: { "x-partial": "1" }, signal, cache: "no-store",
  });
  // The session has ended, or another tab of the browser has begun a new one.
  if (answer.status === 401 || answer.status === 403) location.reload();
  if (!answer.ok) throw new Error("no answer");
  return answer.text();
}

async function check(event) {
  event.preventDefault();
  const action = event.submitter?.formAction || form.action;
  const isHold = event.submitter?.hasAttribute("formaction");
  asking?.abort();
  const mine = (asking = new AbortController());
  const body = new URLSearchParams(new FormData(form));
  body.set("document_number", withoutTheRest(number.value));
  let text;
  try {
    text = await post(action, body, mine.signal);
    if (!text.includes("data-decision")) throw new Error("no verdict");
  } catch {
    if (mine.signal.aborted) return;
    text = form.querySelector("template").innerHTML; // never looks like "allowed"
    const group = place.querySelector("[data-booking]");
    if (group) text += group.outerHTML;
    if (isHold && unsure) unsure.hidden = false; // the form keeps the key of its order
  }
  show(text);
  clearGuest();
  number.focus({ preventScroll: true });
  if (place.getBoundingClientRect().top < 0) place.scrollIntoView(); // on a phone
}

function show(text) {
  place.innerHTML = text;
  const key = place.querySelector("[data-next-key]");
  if (key) {
    field("order_key").value = key.dataset.nextKey;
    if (unsure) unsure.hidden = true;
  }
  for (const input of place.querySelectorAll("[data-sum]")) showSum(input);
  forgetLater();
}

// A form inside a verdict: an outcome takes the place of its buttons, an order that of the verdict.
async function act(event) {
  const inner = event.target;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(inner, event.submitter));
  const outcomes = inner.closest(".outcomes");
  try {
    const text = await post(inner.action, body);
    if (outcomes) outcomes.innerHTML = text;
    else show(text);
    number.focus();
  } catch {
    inner.parentElement.querySelector(".unsent")?.remove();
    const note = document.createElement("p");
    note.className = "notice wrong unsent";
    note.setAttribute("role", "alert");
    note.textContent = form.dataset.unsent;
    inner.parentElement.append(note); // the same order with the same key may be sent again
  }
}

// Returns whether a key stands for something that the page can do now, and does it.
function command(key, isDone) {
  const button = /^[1-4]$/.test(key) ? place.querySelector(`[data-key="${key}"]`) : null;
  if (button) {
    if (isDone) button.tagName === "INPUT" ? button.focus() : button.click();
    return true;
  }
  if (key === "p" && place.querySelector("[data-decision]")) {
    if (isDone) print();
    return true;
  }
  if (key === "g") {
    if (isDone) field("in_group").click();
    return true;
  }
  return false;
}

function commandLater() {
  clearTimeout(commanding);
  const key = number.value.toLowerCase();
  if (key.length === 1 && command(key, false)) commanding = setTimeout(commandNow, COMMAND_AFTER_MS);
}

function commandNow() {
  clearTimeout(commanding);
  const key = number.value.toLowerCase();
  if (key.length !== 1 || !command(key, false)) return false;
  number.value = "";
  command(key, true);
  return true;
}

// Returns a typed sum in yuan as the server reads it (sums.py): digits alone are fen.
function asYuan(text) {
  const plain = text.normalize("NFKC").toLowerCase().replace(/[\s,]/g, "");
  const found = /^(¥)?(\d{1,15}(?:\.\d{1,6})?)(万)?(元|圆|yuan|cny|rmb)?$/.exec(plain);
  if (!found) return "";
  const [, sign, digits, tenThousand, unit] = found;
  const isYuan = sign || unit;
  if (!isYuan && (tenThousand || digits.includes("."))) return "";
  const yuan = Number(digits) * (tenThousand ? 10_000 : 1) / (isYuan ? 1 : 100);
  return `= ¥${yuan.toLocaleString("en", { minimumFractionDigits: 2 })}`;
}

function showSum(input) {
  for (const output of input.parentElement.querySelectorAll("output")) {
    if (output.htmlFor.contains(input.id)) output.value = asYuan(input.value);
  }
}

// A reader ends each line of a machine-readable zone by Enter: the field waits for the next line.
function awaitsLine() {
  const zone = number.value.replace(/\s/g, "");
  const isFirst = (/^P[A-Z<]/i.test(zone) && zone.length === 44)
    || (/^[ACI]/i.test(zone) && zone.includes("<") && (zone.length === 30 || zone.length === 60));
  if (!isFirst || zoneWaits === zone.length) return false;
  zoneWaits = zone.length;
  return true;
}

document.addEventListener("input", ({ target }) => {
  if (target.dataset.sum !== undefined) showSum(target);
});
form.addEventListener("submit", check);
place.addEventListener("submit", act);
field("service_type").addEventListener("change", showService);
number.addEventListener("input", commandLater);
number.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const hold = form.querySelector("[data-for]:not([hidden])");
  if (event.ctrlKey && hold) {
    event.preventDefault();
    form.requestSubmit(hold);
  } else if (awaitsLine() || commandNow()) {
    event.preventDefault();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  commandNow(); // an outcome that was just typed is kept
  forget();
});
for (const touch of ["keydown", "pointerdown"]) document.addEventListener(touch, forgetLater);
addEventListener("pagehide", forget);
for (const input of form.querySelectorAll("[data-sum]")) showSum(input);
showService();
forgetLater();
navigator.serviceWorker?.register("/assets/desk-worker.js", { scope: "/desk" }).catch(() => {});
