// Shows the progress of a sheet, and the fields of the chosen service. The page works without this
// script, and nothing is stored in the browser.
"use strict";

const EVERY_MS = 500;
const place = document.querySelector("#manifest");
const state = () => place.querySelector("[data-manifest]").dataset.manifest;

function showService() {
  const choice = place.querySelector("#service_type");
  if (!choice) return;
  for (const fields of place.querySelectorAll("fieldset[data-service]")) {
    const isChosen = fields.dataset.service === choice.value;
    fields.hidden = !isChosen;
    fields.disabled = !isChosen;
  }
}

async function look() {
  try {
    const answer = await fetch("/desk/manifests", { headers: { "x-partial": "1" }, cache: "no-store" });
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error("no answer");
    return await answer.text();
  } catch {
    return null; // a server that starts anew: the next look will say more
  }
}

async function watch() {
  const text = await look();
  if (text !== null) {
    place.innerHTML = text;
    showService();
  }
  if (state() === "running") setTimeout(watch, EVERY_MS);
  else place.querySelector("h1").focus();
}

// The file came as a download, so the page stays; the job is forgotten, and the page says so.
async function awaitFetched(looks) {
  const text = await look();
  if (text?.includes('data-manifest="upload"')) location.replace("/desk/manifests?said=fetched");
  else if (looks) setTimeout(awaitFetched, EVERY_MS, looks - 1);
}

place.addEventListener("change", (event) => {
  if (event.target.id === "service_type") showService();
});
place.addEventListener("submit", (event) => {
  if (event.target.id === "fetch") setTimeout(awaitFetched, EVERY_MS, 20);
});
showService();
if (state() === "running") setTimeout(watch, EVERY_MS);
