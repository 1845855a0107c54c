// Opens the form that begins a session where this browser can take part: scripts run, that of the pairs is there,
// cookies are kept, and the device suits where that is asked for.
"use strict";
(async () => {
  const form = document.getElementById("consent");
  const [script, cookie] = await Promise.all([fetch(form.dataset.script), fetch("cookie")]);
  if (!script.ok || !(await cookie.json()).kept) return;
  if (form.elements.device && !(await suits(form))) return;
  form.elements.able.value = "yes";
  form.hidden = false;
  document.getElementById("unable").remove();
})();
