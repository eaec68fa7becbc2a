// Times in words grow older while one looks at them. The wording is the server's: see Ago and Until in views.
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
const countDown = () =>
  each("time[data-rel=countdown]", (time) => {
    const left = Math.floor((Date.parse(time.dateTime) - Date.now()) / 1000);
    time.textContent = left < 1 ? "now" : twoUnits(left);
  });
setInterval(countDown, 1000);
const refreshTimes = () =>
  each("time[data-rel]", (time) => {
    const distance = Math.round((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.dataset.rel === "ago") time.textContent = distance < 1 ? "now" : `${inWords(distance)} ago`;
    else if (time.dataset.rel === "until") time.textContent = distance >= 0 ? "now" : (time.dataset.before ?? "") + inWords(-distance);
  });
setInterval(refreshTimes, 5000);
