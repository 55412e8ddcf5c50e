// Drafts. A text with data-draft (the name of its field) is kept on the server every few seconds while one writes, and
// when one leaves; the form's own address takes it. Where the form is opened again, the draft is offered.
const EVERY_MS = 5000;
const MOST_KEPT_ALIVE = 60000; // bytes that a browser still sends of a page that is gone
const waiting = new Map(); // text area → timer
const sending = new Map(); // text area → what ends its request
const written = new WeakSet(); // what one wrote in since the page was opened

function body(field, text) {
  const { csrfmiddlewaretoken, version } = field.form.elements;
  return new URLSearchParams({ draft: field.dataset.draft, text, version: version?.value ?? "", csrfmiddlewaretoken: csrfmiddlewaretoken.value });
}

function say(field, text) {
  const place = field.closest("[data-write]")?.querySelector("[data-kept]");
  if (place) place.textContent = text;
}

function cancel(field) {
  const was = waiting.has(field) || sending.has(field);
  clearTimeout(waiting.get(field));
  waiting.delete(field);
  sending.get(field)?.abort();
  sending.delete(field);
  return was;
}

async function send(field, text, leaving = false) {
  cancel(field);
  const ends = new AbortController();
  sending.set(field, ends);
  const sent = body(field, text);
  const keepalive = leaving && sent.toString().length < MOST_KEPT_ALIVE;
  const url = field.form.action.split("?")[0];
  try {
    const answer = await fetch(url, { method: "POST", body: sent, keepalive, signal: ends.signal, headers: { "HX-Request": "true" } });
    say(field, answer.status === 204 ? (text && "Draft kept") : "Draft not kept");
  } catch {
    if (!ends.signal.aborted) say(field, "Draft not kept: no connection");
  }
  if (sending.get(field) === ends) sending.delete(field);
}

function keepAll(inside, leaving) {
  for (const field of [...waiting.keys()]) if (inside.contains(field)) send(field, field.value, leaving);
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches("textarea[data-draft]") || !target.form) return;
  written.add(target);
  if (!waiting.has(target)) waiting.set(target, setTimeout(() => send(target, target.value), EVERY_MS));
});
for (const leaving of ["beforeunload", "pagehide"]) addEventListener(leaving, () => keepAll(document, true));
document.addEventListener("visibilitychange", () => document.hidden && keepAll(document, true));
document.addEventListener("close", ({ target }) => keepAll(target, false), true); // a dialog, before it is emptied

// A form that is sent takes its text along; what is refused is a draft again.
const refused = new WeakMap(); // form → its texts that were not kept yet
document.addEventListener("submit", ({ target: form }) => {
  refused.set(form, [...form.querySelectorAll("[data-draft]")].filter(cancel));
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const fields = refused.get(ctx.request.form) ?? [];
  refused.delete(ctx.request.form);
  if (!(ctx.response?.status < 400)) fields.forEach((field) => send(field, field.value));
});

// -- The draft that is offered -------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-draft-use], [data-draft-drop]");
  const field = button?.closest("[data-write]")?.querySelector("textarea");
  if (!field?.form) return;
  event.preventDefault();
  const note = button.closest("[data-draft-note]");
  if ("draftUse" in button.dataset) {
    const { version } = field.form.elements;
    const begun = Number(note.dataset.version);
    if (version && begun) version.value = Math.min(begun, version.value); // what others saved since the oldest is compared
    field.value = note.querySelector("[data-draft-text]").textContent;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  } else {
    send(field, "");
  }
  note.remove();
  field.focus();
});
// A part of the page that is drawn anew would offer what one is writing in it.
document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("[data-draft-note]").forEach((note) => {
    if (written.has(note.closest("[data-write]")?.querySelector("textarea"))) note.remove();
  });
});
