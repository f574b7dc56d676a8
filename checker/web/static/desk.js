// The desk without a mouse: Enter checks, Esc clears, the focus returns to the number by itself.
// The page works without this script. Nothing is stored in the browser.
"use strict";

const FORGET_AFTER_MS = 60_000;
const form = document.querySelector("#check");
const place = document.querySelector("#verdict");
const number = form.elements.namedItem("document_number");
const empty = place.innerHTML.includes("data-decision") ? "" : place.innerHTML;
let forgetting = 0;
let asking = null;

// The form shows the fields of the chosen service alone.
function showService() {
  const chosen = form.elements.namedItem("service_type").value;
  for (const fields of form.querySelectorAll("fieldset[data-service]")) {
    const isChosen = fields.dataset.service === chosen;
    fields.hidden = !isChosen;
    fields.disabled = !isChosen;
  }
}

function clearGuest() {
  number.value = "";
  form.elements.namedItem("name").value = "";
}

function forget() {
  clearTimeout(forgetting);
  asking?.abort();
  place.innerHTML = empty;
  clearGuest();
  number.focus();
}

function forgetLater() {
  clearTimeout(forgetting);
  if (place.querySelector("[data-decision]")) forgetting = setTimeout(forget, FORGET_AFTER_MS);
}

async function check(event) {
  event.preventDefault();
  asking?.abort();
  const mine = (asking = new AbortController());
  const body = new URLSearchParams(new FormData(form));
  let text;
  try {
    const answer = await fetch(form.action, {
      method: "POST", body, headers: { "x-partial": "1" }, signal: mine.signal, cache: "no-store",
    });
    if (answer.status === 401) return location.reload();
    text = await answer.text();
    if (!text.includes("data-decision")) throw new Error("no verdict");
  } catch {
    if (mine.signal.aborted) return;
    text = form.querySelector("template").innerHTML; // never looks like "allowed"
  }
  place.innerHTML = text;
  clearGuest();
  number.focus();
  forgetLater();
}

form.addEventListener("submit", check);
form.elements.namedItem("service_type").addEventListener("change", showService);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") forget(); });
for (const touch of ["keydown", "pointerdown"]) document.addEventListener(touch, forgetLater);
addEventListener("pagehide", forget);
showService();
forgetLater();
