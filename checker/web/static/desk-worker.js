// Keeps the shell of the desk for a computer without a network. It never keeps an answer: it looks
// at GET alone, keeps the files below alone, and without a network shows a page that says so.
"use strict";

const SHELL = "desk-shell-2";
const OFFLINE = "/assets/desk-offline.html";
const FILES = [OFFLINE, "/assets/site.css", "/assets/desk.js", "/assets/icon.svg"];

addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((kept) => kept.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((each) => each !== SHELL).map((each) => caches.delete(each)));
  event.waitUntil(caches.keys().then(old));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const kept = request.mode === "navigate" ? OFFLINE : new URL(request.url).pathname;
  if (!FILES.includes(kept)) return;
  event.respondWith(fetch(request).catch(() => caches.match(kept)));
});
