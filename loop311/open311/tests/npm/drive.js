// Drives the published package open311: every call once, the answers as one line of JSON each.
// node drive.js BASE JURISDICTION KEY FORMAT
"use strict";

const { promisify } = require("node:util");
const Open311 = require("open311");

const [base, jurisdiction, apiKey, format] = process.argv.slice(2);
const client = new Open311({ endpoint: `${base}/open311/v2/`, discovery: `${base}/open311/discovery.${format}`, jurisdiction, apiKey, format });
const call = (name, ...given) => promisify(client[name].bind(client))(...given);
const say = (name, value) => process.stdout.write(`${JSON.stringify([name, value])}\n`);

// Errors come as a first argument that is no Error: a status.
const refused = (form) => new Promise((done) => client.submitRequest(form, (status, words) => done([status, words])));

(async () => {
  say("discovery", await call("serviceDiscovery"));
  say("services", await call("serviceList"));
  say("definition", await call("serviceDefinition", "pothole"));
  const picture = process.env.PICTURE;
  const form = { service_code: "pothole", address_string: "1200 Main Street", description: "Deep", media_url: picture };
  const [filed] = await call("submitRequest", { ...form, attributes: { danger: "no" } });
  say("filed", filed);
  const [batch] = await call("submitRequest", { service_code: "sign", address_string: "1200 Main Street" });
  say("batch", batch);
  say("token", await call("token", batch.token));
  say("list", await call("serviceRequests", { service_code: "pothole" }));
  say("several", await call("serviceRequests", [filed.service_request_id, "none"], {}));
  say("single", await call("serviceRequests", filed.service_request_id));
  say("refused", await refused({ service_code: "nothing", address_string: "1200 Main Street" }));
})();
