// Where the server does not answer the page says so, asks again until it does, and catches up then.
const askAgain = 1000;
// What is cut off because one leaves is no loss. A download only seems to leave.
let leaving = false;
window.addEventListener("beforeunload", () => {
  leaving = true;
  setTimeout(() => (leaving = false), 5000);
});
window.addEventListener("pageshow", () => (leaving = false));
const answers = () => fetch("/healthz", { cache: "no-store" }).then((answer) => answer.ok, () => false);
const lostWords = "Connection lost. Trying again… What you see may be old, and what you change now is not saved.";

const sayLost = () => {
  const box = document.getElementById("toasts");
  if (!box || document.getElementById("lost")) return tell(lostWords);
  const toast = document.createElement("div");
  toast.id = "lost";
  toast.className = "toast tone-bad";
  toast.textContent = lostWords;
  box.append(toast);
};
const goneOn = () => {
  root.classList.remove("lost");
  document.getElementById("lost")?.remove();
  say("Connected again.");
  catchUp();
};
const waitForAnswer = async () => ((await answers()) ? goneOn() : setTimeout(waitForAnswer, askAgain));
const lose = () => {
  if (leaving) return;
  sayLost();
  if (root.classList.contains("lost")) return;
  root.classList.add("lost");
  setTimeout(waitForAnswer, askAgain);
};
// What the page shows is fetched anew: rows and counts of what happened meanwhile.
const catchUp = () => {
  document.dispatchEvent(new Event("belfry:catch-up"));
  if (document.querySelector("#webhooks")) htmx.ajax("GET", location.href, { target: "#webhooks", select: "#webhooks", swap: "outerHTML" });
};

// Filters go back to what the rows below them are.
const asShown = (form) => {
  const shown = new URLSearchParams(location.search);
  if (shown.has("from") || shown.has("to")) shown.set("time", "range");
  for (const field of form.elements) if (field.matches("select, input:not([type=hidden])")) field.value = shown.get(field.name) ?? "";
};
document.addEventListener("htmx:error", (event) => {
  const { ctx, error } = event.detail;
  if (!ctx || !(error instanceof TypeError || ctx.request?.signal?.reason === "timeout") || ctx.response) return;
  if (ctx.sourceElement.matches(".filter-row")) asShown(ctx.sourceElement);
  lose();
});
// A stream that broke may only have been ended: then the server answers.
document.addEventListener("htmx:sse:error", async () => root.classList.contains("lost") || (await answers()) || lose());
