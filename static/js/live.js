// Live tables: while paused, or while somebody reads further down, new rows are held back and counted. Going on fetches
// the table anew.
let heldBack = 0, behind = false;
const paused = () => root.classList.contains("live-paused");
const showHeld = () =>
  each("[data-live-held]", (button) => {
    button.textContent = heldBack ? `${heldBack} new` : "";
    button.hidden = !heldBack;
  });
const goOn = () => {
  heldBack = 0;
  behind = false;
  showHeld();
  if (document.querySelector("#deliveries")) htmx.ajax("GET", location.href, { target: "#deliveries", select: "#deliveries", swap: "outerHTML" });
};
on("click", "[data-live-pause]", () => {
  if (!root.classList.toggle("live-paused") && behind) goOn();
});
on("click", "[data-live-held]", goOn);
document.addEventListener("belfry:catch-up", goOn);
document.addEventListener("htmx:sse:before:message", (event) => {
  const message = event.detail.message;
  if (message.event || !event.target.matches("#rows")) return;
  if (!behind && !paused() && scrollY < 320) return;
  event.preventDefault();
  behind = true;
  heldBack += message.data.split('class="fresh"').length - 1;
  showHeld();
});
document.addEventListener("scroll", () => behind && scrollY < 40 && !paused() && goOn(), { passive: true });
// Rows that came while one looks stand out for two seconds.
document.addEventListener("htmx:after:swap", () => {
  const fresh = document.querySelectorAll("tr.fresh");
  if (fresh.length) setTimeout(() => fresh.forEach((row) => row.classList.remove("fresh")), 2000);
});
