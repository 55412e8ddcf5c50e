// Files. A form with data-upload is sent with a progress bar; a screenshot pasted into a textarea with
// data-paste-upload="URL" is attached there and then (field name: data-paste-field, or "file").
import { toast } from "./toasts.js";

function send(url, data, progressed, panel) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much has been sent
    request.open("POST", url);
    request.setRequestHeader("HX-Request", "true");
    if (panel) request.setRequestHeader("HX-Target", "section#ticket");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && progressed(event.loaded / event.total));
    request.addEventListener("load", () => done(request));
    request.addEventListener("error", () => failed(new Error("no connection")));
    request.send(data);
  });
}

function bar(form) {
  const box = document.createElement("div");
  box.className = "upload";
  box.setAttribute("role", "status");
  const words = document.createElement("span");
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", "Upload");
  box.append(words, progress);
  form.append(box);
  return {
    to(part) {
      progress.value = part;
      words.textContent = part < 1 ? `Sending, ${Math.floor(part * 100)} %` : "Sent, being stored";
    },
    remove: () => box.remove(),
  };
}

function tooLarge(form) {
  for (const input of form.querySelectorAll("input[type=file][data-max-bytes]")) {
    const file = [...input.files].find(({ size }) => size > Number(input.dataset.maxBytes));
    if (file) return `${file.name} is larger than ${Math.floor(Number(input.dataset.maxBytes) / 1048576)} MB.`;
  }
  return "";
}

async function upload(form, submitter) {
  const refused = tooLarge(form);
  if (refused) {
    toast(refused, { bad: true });
    return;
  }
  const shown = bar(form);
  if (submitter) submitter.disabled = true;
  try {
    const panel = form.closest("#ticket");
    const request = await send(form.action, new FormData(form, submitter), shown.to, panel);
    if (!panel || !showFiles(request)) answer(form, request);
  } catch {
    toast("No connection. The file was not sent; try again.", { bad: true });
  } finally {
    shown.remove();
    if (submitter) submitter.disabled = false;
  }
}

// Of the ticket that comes back only its files are shown anew (and what it says): what is being typed stays.
function showFiles(request) {
  if (request.status >= 300 || request.getResponseHeader("HX-Redirect")) return false;
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const files = page.getElementById("ticket-files");
  const here = document.getElementById("ticket-files");
  if (!files || !here) return false;
  const words = [...page.querySelectorAll("hx-partial")].map((one) => one.outerHTML);
  htmx.swap({ text: files.outerHTML + words.join(""), sourceElement: here, target: here, swap: "outerHTML" });
  return true;
}

function answer(form, request) {
  const to = request.getResponseHeader("HX-Redirect");
  if (to) location.assign(to);
  else if (request.status < 300 || request.status === 422) {
    const inDialog = form.closest("#dialog-body");
    htmx.swap({
      text: request.responseText, sourceElement: form, target: inDialog ?? form, swap: inDialog ? "innerHTML" : "outerHTML",
    });
  } else if (request.status === 413) toast("That is too large.", { bad: true });
  else toast(`The file was refused (${request.status}).`, { bad: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("upload" in form.dataset) || event.defaultPrevented) return;
  event.preventDefault();
  upload(form, event.submitter);
});

document.addEventListener("paste", async (event) => {
  const area = event.target.closest?.("textarea[data-paste-upload]");
  const file = area && [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  const name = `screenshot-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${file.type === "image/jpeg" ? "jpg" : "png"}`;
  const data = new FormData();
  data.append(area.dataset.pasteField || "file", file, name);
  data.append("csrfmiddlewaretoken", area.form?.elements.csrfmiddlewaretoken?.value ?? "");
  try {
    const request = await send(area.dataset.pasteUpload, data, () => {}, area.closest("#ticket"));
    if (request.status >= 300) throw new Error(String(request.status));
    area.setRangeText(`(see ${name})`, area.selectionStart, area.selectionEnd, "end");
    if (!showFiles(request)) toast(`${name} attached.`);
  } catch (error) {
    toast(`The screenshot was not attached (${error.message}).`, { bad: true });
  }
});
