// Shows the OpenAPI document of the service in Swagger UI; asks for the API key where there is one.
"use strict";

const form = document.getElementById("key");
const problem = document.getElementById("problem");

function show(spec, key) {
  const ui = SwaggerUIBundle({
    spec,
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null, // a validator would be another host
    onComplete() {
      if (key) ui.preauthorizeApiKey("key", key);
    },
  });
}

async function load(key) {
  const headers = key ? { "X-API-Key": key } : {};
  const response = await fetch("openapi.json", { headers });
  const body = await response.json();
  form.hidden = response.status !== 401;
  problem.textContent = response.ok ? "" : body.detail;
  if (response.ok) show(body, key);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  load(form.querySelector("input").value);
});
load("");
