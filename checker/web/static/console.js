// The figures of a page live: the script asks for the part that changes, and puts it in place.
// The page works without this script. A poll is no sign of a person, so the session still ends.
"use strict";

const EVERY_MS = 5_000;
const live = document.querySelector("[data-live]");
const silent = document.querySelector("[data-silent]");

async function refresh() {
  const answer = await fetch(location.href, {
    headers: { "x-partial": "1", "x-poll": "1" }, cache: "no-store",
  });
  if (answer.status === 401) location.reload(); // the session has ended: the page for signing in
  if (!answer.ok) throw new Error("no answer");
  const text = await answer.text();
  if (live.contains(document.activeElement) || String(getSelection()) !== "") return;
  const open = [...live.querySelectorAll("details[open]")].map((each) => each.id);
  live.innerHTML = text;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
}

async function round() {
  try {
    if (!document.hidden) await refresh();
    silent.hidden = true;
  } catch {
    silent.hidden = false; // the figures are old, and the page says so
  }
  setTimeout(round, EVERY_MS);
}

if (live) setTimeout(round, EVERY_MS);
