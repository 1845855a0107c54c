// Measures window and screen, where a study asks for that, and says what of them does not suit it. Runs before welcome.js.
"use strict";
const frames = 40;

// Frames a second, by the median time between two. A page that nobody looks at waits until somebody does.
async function refreshRate() {
  const times = [];
  while (times.length <= frames) times.push(await new Promise(resolve => requestAnimationFrame(resolve)));
  const steps = times.slice(1).map((time, number) => time - times[number]).sort((one, other) => one - other);
  // Browsers that blur the clock may say 0.
  return 1000 / (steps[frames / 2] || (times[frames] - times[0]) / frames);
}

const measured = rate => JSON.stringify({
  window_width: Math.round(innerWidth), window_height: Math.round(innerHeight),
  screen_width: Math.round(screen.width), screen_height: Math.round(screen.height),
  pixel_ratio: Number(devicePixelRatio.toFixed(3)), touch: matchMedia("(pointer: coarse)").matches,
  refresh_rate: Number(rate.toFixed(1)) });

// Returns whether the form may open; its field has the window as it is when the form is sent.
async function suits(form) {
  const rate = await refreshRate(), gates = document.getElementById("gates");
  form.addEventListener("submit", () => { form.elements.device.value = measured(rate); });
  if (!gates) return true;
  const answer = await fetch("device", { method: "POST", body: new URLSearchParams({ device: measured(rate) }) });
  if (!answer.ok) return false;
  const { failed } = await answer.json();
  if (!failed.length) return true;
  for (const each of gates.querySelectorAll("[data-gate]")) each.hidden = !failed.includes(each.dataset.gate);
  document.getElementById("unable").remove();
  gates.hidden = false;
  gates.querySelector("h2").focus();
  return false;
}
