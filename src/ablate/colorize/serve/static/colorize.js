// Moves the line between grey and colour, and takes photographs that are dropped. Without it, the form works all the same,
// and pictures are shown in colour alone.
"use strict";
const form = document.getElementById("drop"), file = form.elements.photograph, said = document.getElementById("said");

for (const moving of document.querySelectorAll("[hidden]")) moving.hidden = false;
for (const range of document.querySelectorAll(".compare input")) {
  const move = () => range.parentElement.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", move);
  move();
}

form.addEventListener("submit", event => {
  const [chosen] = file.files;
  if (chosen && chosen.size > Number(file.dataset.max) * 2 ** 20) {
    event.preventDefault();
    said.textContent = `${chosen.name} is larger than ${file.dataset.max} MiB.`;
    return;
  }
  said.textContent = "Colouring ...";
});

// Anywhere on the page: a photograph that misses the form would be opened in its place.
for (const kind of ["dragenter", "dragover"]) addEventListener(kind, event => {
  event.preventDefault();
  form.classList.add("over");
});
addEventListener("dragleave", event => { if (!event.relatedTarget) form.classList.remove("over"); });
addEventListener("drop", event => {
  event.preventDefault();
  form.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  file.files = event.dataTransfer.files;
  form.requestSubmit();
});
