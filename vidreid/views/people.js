"use strict";
const bar = document.querySelector(".filter");
const [text, camera, several, zone] = bar.querySelectorAll("input, select");
function filter() {
  const wanted = text.value.trim().toLowerCase();
  for (const section of document.querySelectorAll("section")) {
    let shown = 0;
    for (const card of section.querySelectorAll(".card")) {
      const cameras = JSON.parse(card.dataset.cameras);
      card.hidden = !(card.dataset.words.includes(wanted) &&
        (!camera.value || cameras.includes(camera.value)) && (!several.checked || cameras.length > 1));
      shown += !card.hidden;
    }
    section.hidden = !shown;
  }
}
function times() {
  for (const time of document.querySelectorAll("time")) {
    time.dataset.written ??= time.textContent;
    time.textContent = zone.checked ? new Date(time.dateTime).toLocaleString("sv-SE") : time.dataset.written;
  }
}
bar.addEventListener("input", filter);
zone.addEventListener("input", times);
bar.hidden = false;
filter();
times();
