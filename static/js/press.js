// While a button of the mouse or a finger is down nothing that was fetched changes the page: what is being pressed would move
// away, and the click be lost. For a second at most: somebody may be marking text.
let pressed = Promise.resolve();
document.addEventListener("pointerdown", () => {
  pressed = new Promise((letGo) => {
    const over = new AbortController();
    const end = () => (over.abort(), setTimeout(letGo)); // after the click that follows
    for (const type of ["pointerup", "pointercancel", "dragend"]) document.addEventListener(type, end, { signal: over.signal });
    setTimeout(end, 1000);
  });
}, true);
document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail, ask = ctx.fetch;
  ctx.fetch = async (...what) => {
    const answer = await ask(...what);
    await pressed;
    return answer;
  };
});
document.addEventListener("htmx:sse:before:message", (event) => event.detail.waitUntil(pressed));
