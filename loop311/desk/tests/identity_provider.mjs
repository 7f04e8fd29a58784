// A real OpenID Connect provider for the tests, on this machine only: node identity_provider.mjs CALLBACK
// Prints its address; whoever types NAME at its own sign-in is NAME@PEOPLE, verified or not as the name says.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const callback = process.argv[2];

const server = createServer((request, response) => provider.callback()(request, response));
let provider;
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provider = new Provider(issuer, {
    clients: [{ client_id: "loop311", client_secret: "known-to-both", redirect_uris: [callback], token_endpoint_auth_method: "client_secret_basic" }],
    claims: { email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id.replace(/^(unverified|second)\./, ""), email_verified: !id.startsWith("unverified.") }),
    }),
  });
  console.log(issuer);
});
