// Lists that are followed: new rows come on top while nobody is reading. While the list is paused, scrolled down or under
// the pointer, or on an older page, they wait behind a button that says how many there are. What changes within a row is
// shown at once. Going on fetches the list anew.
const stream = () => document.querySelector("[data-live]");
const list = () => stream()?.parentElement;
const rowIDs = () => new Set([...document.querySelectorAll("#rows > tr")].map((row) => row.id));
const isOlder = () => stream()?.hasAttribute("data-older");
const paused = () => root.classList.contains("live-paused");

const pointer = matchMedia("(hover: hover)");
const reading = () => {
  const box = document.querySelector("#rows")?.closest(".table-box");
  if (!box) return false;
  return (pointer.matches && list().matches(":hover")) || box.contains(document.activeElement) || box.getBoundingClientRect().top < 0;
};
const holding = () => paused() || isOlder() || reading();

// What waits belongs to one list: choosing other filters begins anew. An older page knows the rows of the first page by
// the first message.
let followed = null, behind = false, firstPage = null, known = null;
const waiting = new Set();
const begin = () => {
  if (followed === stream()) return;
  followed = stream();
  behind = false;
  firstPage = null;
  waiting.clear();
};
const sayWaiting = () => {
  const button = document.querySelector("[data-live-show]");
  if (!button) return;
  const what = stream().dataset.what;
  const words = waiting.size > 999 ? "999+ new" : waiting.size ? `${waiting.size} new` : "Changed";
  const show = behind && (!isOlder() || waiting.size > 0);
  if (show && button.hidden) tell(`New ${what} are waiting.`);
  button.hidden = !show;
  button.querySelector("[data-live-held]").textContent = show ? words : "";
};
const goOn = () => {
  const box = list();
  if (!box || known) return;
  known = rowIDs();
  behind = false;
  waiting.clear();
  sayWaiting();
  const part = `#${box.id}`;
  htmx.ajax("GET", location.href, { target: part, select: part, swap: "outerHTML" }).finally(() => (known = null));
};
setInterval(() => behind && !holding() && goOn(), 300);
document.addEventListener("belfry:catch-up", goOn);

// One message is a row of partials: rows on top, rows that changed, rows that left, the count.
const partial = /<hx-partial hx-target="([^"]*)" hx-swap="([^"]*)">([\s\S]*?)<\/hx-partial>/g;
const holdBack = (target, swap, content) => {
  if (target === "#count") return;
  behind = true;
  if (target !== "#rows") return;
  const ids = [...content.matchAll(/<tr id="([^"]*)"/g)].map(([, id]) => id);
  if (isOlder()) firstPage ??= swap === "innerMorph" && new Set(ids);
  const shown = firstPage || rowIDs();
  for (const id of ids) if (!shown.has(id)) waiting.add(id);
};
document.addEventListener("htmx:sse:before:message", (event) => {
  const message = event.detail.message;
  if (message.event || !event.target.matches("[data-live]")) return;
  begin();
  const hold = holding(), rows = document.querySelector("#rows");
  message.data = message.data.replace(partial, (whole, target, swap, content) => {
    if (!document.querySelector(target)) {
      behind ||= !rows && target === "#rows" && content.includes("<tr"); // the first rows of an empty page
      return "";
    }
    if (!hold || (swap === "outerMorph" && !paused()))
      return whole.replace(/<tr id="([^"]*)" class="">/g, (tag, id) => (fresh.has(id) ? tag.replace('""', '"fresh"') : tag));
    holdBack(target, swap, content);
    return "";
  });
  if (hold) sayWaiting();
});
document.addEventListener("htmx:sse:after:message", () => {
  const rows = document.querySelector("#rows");
  if (rows && !rows.querySelector("tr") && !holding()) goOn();
});

on("click", "[data-live-show]", (_, event) => {
  if (isOlder()) return; // the link leads to the first page
  event.preventDefault();
  scrollTo({ top: 0 });
  goOn();
});
on("click", "[data-live-pause]", () => root.classList.toggle("live-paused"));

// Rows that came while one looks stand out for two seconds, also where they change meanwhile.
const fresh = new Set();
const standOut = (row) => {
  if (fresh.has(row.id)) return;
  fresh.add(row.id);
  row.classList.add("fresh");
  setTimeout(() => {
    fresh.delete(row.id);
    document.getElementById(row.id)?.classList.remove("fresh");
  }, 2000);
};
document.addEventListener("htmx:after:swap", () => {
  each("#rows > tr", (row) => (row.classList.contains("fresh") || (known && !known.has(row.id))) && standOut(row));
});

// A stream that stays away for some seconds is said to be lost, with a link to fetch the page again; and at once where the
// session is over: then the answer is no stream.
let awayFor = 0, signedOut = false;
const notLive = () => root.classList.add("live-lost");
const streamEnds = (event) => {
  if (event.target.matches?.("[data-live]") && event.target.isConnected) awayFor ||= setTimeout(notLive, 3000);
};
document.addEventListener("htmx:sse:error", streamEnds);
document.addEventListener("htmx:sse:close", streamEnds);
document.addEventListener("htmx:sse:before:connection", (event) => signedOut && event.preventDefault());
document.addEventListener("htmx:sse:after:connection", (event) => {
  signedOut = event.detail.connection.status !== 200;
  if (signedOut) return notLive();
  clearTimeout(awayFor);
  awayFor = 0;
  root.classList.remove("live-lost");
});
