// Times in words grow older while one looks at them, by the server's clock. The wording is the server's: see Ago, Until and
// Elapsed in views. A word is written only where it changed.
const ahead = Number(root.dataset.now || Date.now()) - Date.now();
const inWords = (seconds) => {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  const days = Math.floor(seconds / 86400);
  return days === 1 ? "1 day" : `${days} days`;
};
const twoUnits = (seconds) => {
  const [large, name, small, smallName] = seconds < 3600 ? [60, "min", 1, "s"] : [3600, "h", 60, "min"];
  if (seconds < 60 || seconds >= 86400) return inWords(seconds);
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${name}` + (rest ? ` ${rest} ${smallName}` : "");
};
const wordings = {
  ago: (past) => (past < 1 ? "now" : `${inWords(Math.floor(past))} ago`),
  until: (past, before) => (past > -1 ? "now" : before + inWords(Math.floor(-past))),
  elapsed: (past, before, most) => `${Math.floor(Math.max(0, Math.min(past, most)))} s of ${most} s`,
  countdown: (past, before) => (past > -1 ? "now" : before + twoUnits(Math.floor(-past))),
};
const tick = () => {
  if (document.hidden) return;
  const now = Date.now() + ahead;
  each("time[data-rel]", (time) => {
    const words = wordings[time.dataset.rel]?.((now - Date.parse(time.dateTime)) / 1000, time.dataset.before ?? "", time.dataset.most);
    if (words && words !== time.textContent) time.textContent = words;
  });
};
setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
