// Live refresh. Parts of a page ask again on the event ir:tick (hx-trigger="ir:tick from:body"): every 5 s on a visible
// page, every 30 s on a hidden one, at once on coming back and after a change of one's own. The server answers 304 when
// nothing changed (hx-ptag). A part waits while somebody types, drags or has a menu open in it.
import { toast } from "./toasts.js";

const VISIBLE_MS = 5000;
const HIDDEN_MS = 30000;
const FLASH_MS = 2000;
const FIELDS = "input, textarea, select, [contenteditable]";
const LOGIN = "/accounts/";
const LEAVING_MS = 5000; // a download begins like leaving, and stays
let timer = 0;
let ticks = 0;
let failedTick = 0;
let failures = 0;
let lastGood = new Date();
let over = false;
let leaving = false;
const versions = new WeakMap();

function tick() {
  clearTimeout(timer);
  if (over) return;
  ticks += 1;
  document.body.dispatchEvent(new CustomEvent("ir:tick"));
  timer = setTimeout(tick, document.hidden ? HIDDEN_MS : VISIBLE_MS);
}

function isTick(ctx) {
  return ctx?.sourceEvent?.type === "ir:tick" || ctx?.sourceEvent?.type === "every";
}

function waits(part) {
  const active = document.activeElement;
  return (
    "dragging" in document.body.dataset ||
    "gone" in part.dataset ||
    (part.contains(active) && active.matches(FIELDS)) ||
    Boolean(part.querySelector(".dropdown-menu.show"))
  );
}

// -- Whether the line stands ------------------------------------------------------------------------------------------
function sayLive(text, lost) {
  document.querySelectorAll("[data-live]").forEach((mark) => {
    mark.classList.toggle("is-lost", lost);
    const words = mark.querySelector("[data-live-text]");
    if (words && words.textContent !== text) words.textContent = text;
  });
}
function good() {
  lastGood = new Date();
  if (failures >= 2) sayLive("Live", false);
  failures = 0;
}
function bad() {
  if (failedTick === ticks) return; // several parts of one tick fail together
  failedTick = ticks;
  failures += 1;
  if (failures >= 2) sayLive(`No connection since ${lastGood.toISOString().slice(11, 16)} UTC`, true);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) tick();
});
timer = setTimeout(tick, VISIBLE_MS);

// -- Requests -----------------------------------------------------------------------------------------------------------
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (isTick(ctx) && waits(ctx.sourceElement)) event.preventDefault();
});
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  const { raw } = ctx.response;
  const toLogin = raw.redirected && new URL(raw.url).pathname.startsWith(LOGIN) && !location.pathname.startsWith(LOGIN);
  const over401 = raw.status === 401 && !raw.headers.get("HX-Redirect")?.includes("reauthenticate");
  if (over401 || toLogin) { // stay: what is typed here would be lost
    event.preventDefault();
    sessionOver();
  } else if (isTick(ctx) && waits(ctx.sourceElement)) {
    event.preventDefault(); // somebody began to type or drag while it was on its way
  }
});
function sessionOver() {
  if (over) return;
  over = true;
  clearTimeout(timer);
  const href = `/accounts/login/?next=${encodeURIComponent(location.pathname + location.search)}`;
  toast("Your session has ended. What you typed stays here until you leave the page.", {
    bad: true, sticky: true, link: { href, text: "Log in" },
  });
}

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (!isTick(ctx)) return;
  if (ctx.response.status < 500) good();
  else bad();
});
// Firefox ends what is on its way as soon as one leaves, while the old page still stands: that is no lost connection.
addEventListener("beforeunload", () => {
  leaving = true;
  setTimeout(() => { leaving = false; }, LEAVING_MS);
});
addEventListener("pageshow", () => { leaving = false; });
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (leaving) return;
  if (isTick(ctx)) bad();
  else if (ctx) toast("No connection. What you wrote is still here; try again.", { bad: true });
});
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const { status, headers } = ctx.response;
  if (isTick(ctx)) {
    if (status >= 500 || status === 429 || "gone" in ctx.sourceElement.dataset) return;
    ctx.sourceElement.dataset.gone = "";
  }
  if (status === 409 || (status === 422 && ctx.sourceElement.closest("#dialog-body, [hx-status\\:422], [hx-status\\:422\\:inherited]"))) return;
  toast(refusal(status, ctx.text, headers.get("X-Request-ID")), { bad: true });
});
function refusal(status, text, id) {
  const page = new DOMParser().parseFromString(text ?? "", "text/html");
  const said = page.querySelector("[data-error], [role=alert]")?.textContent.trim();
  if (said) return status >= 500 && id ? `${said} Request ${id}.` : said;
  if (status === 413) return "That is too large.";
  if (status === 429) return "Too many requests. Wait a little and try again.";
  return `The server refused this (${status}). Nothing was changed.`;
}
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.request.method !== "GET" && ctx.response?.status < 300 && !ctx.hx?.redirect) setTimeout(tick, 50);
});

// -- Changes of others flash --------------------------------------------------------------------------------------------
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (!isTick(ctx)) return;
  const rows = ctx.sourceElement.querySelectorAll("[id][data-version]");
  versions.set(ctx, new Map([...rows].map((row) => [row.id, row.dataset.version])));
});
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const before = versions.get(ctx);
  if (!before?.size) return;
  document.querySelectorAll("[id][data-version]").forEach((row) => {
    if (before.get(row.id) === row.dataset.version || !ctx.sourceElement.contains(row)) return;
    row.classList.add("is-changed");
    setTimeout(() => row.classList.remove("is-changed"), FLASH_MS);
  });
});
