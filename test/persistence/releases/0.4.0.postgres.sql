CREATE SEQUENCE "migrations_id_seq" AS integer;
CREATE TABLE "access_tokens" (
  id character varying NOT NULL,
  digest character varying,
  client_id character varying NOT NULL,
  grant_id character varying,
  claims text,
  expires_at bigint NOT NULL,
  revoked_at bigint,
  CONSTRAINT access_tokens_pk PRIMARY KEY (id)
);
CREATE TABLE "api_keys" (
  id character varying NOT NULL,
  name character varying NOT NULL,
  digest character varying NOT NULL,
  scope text NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint,
  last_used_at bigint,
  CONSTRAINT api_keys_pk PRIMARY KEY (id)
);
CREATE TABLE "applied_declarations" (
  id character varying NOT NULL,
  kind character varying NOT NULL,
  name character varying NOT NULL,
  digest character varying NOT NULL,
  applied_at bigint NOT NULL,
  removed_at bigint,
  CONSTRAINT applied_declarations_pk PRIMARY KEY (id)
);
CREATE TABLE "audit_events" (
  id character varying NOT NULL,
  at bigint NOT NULL,
  event character varying NOT NULL,
  outcome character varying NOT NULL,
  user_id character varying,
  client_id character varying,
  identity_provider character varying,
  reason character varying,
  request_id character varying,
  address character varying,
  actor character varying,
  CONSTRAINT audit_events_pk PRIMARY KEY (id)
);
CREATE TABLE "authorization_codes" (
  digest character varying NOT NULL,
  grant_id character varying NOT NULL,
  client_id character varying NOT NULL,
  redirect_uri text NOT NULL,
  code_challenge character varying,
  nonce text,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  consumed_at bigint,
  CONSTRAINT authorization_codes_pk PRIMARY KEY (digest)
);
CREATE TABLE "authorization_requests" (
  digest character varying NOT NULL,
  browser_digest character varying NOT NULL,
  parameters text NOT NULL,
  data_key text NOT NULL,
  encryption_key_id character varying NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  consumed_at bigint,
  CONSTRAINT authorization_requests_pk PRIMARY KEY (digest)
);
CREATE TABLE "client_secrets" (
  id character varying NOT NULL,
  client_id character varying NOT NULL,
  verifier character varying NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint,
  secret text,
  data_key text,
  encryption_key_id character varying,
  CONSTRAINT client_secrets_pk PRIMARY KEY (id)
);
CREATE TABLE "clients" (
  client_id character varying NOT NULL,
  client_name character varying,
  token_endpoint_auth_method character varying NOT NULL,
  grant_types text NOT NULL,
  redirect_uris text NOT NULL,
  scope text NOT NULL,
  upstream_providers text NOT NULL,
  upstream_refresh_token boolean NOT NULL,
  consent character varying NOT NULL,
  require_pkce boolean NOT NULL,
  id_token_signed_response_alg character varying NOT NULL,
  disabled_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  access_token_format character varying NOT NULL DEFAULT 'jwt'::character varying,
  introspection character varying NOT NULL DEFAULT 'own'::character varying,
  jwks text,
  jwks_uri text,
  token_endpoint_auth_signing_alg character varying,
  access_token_lifetime integer,
  refresh_token_lifetime integer,
  metadata text NOT NULL DEFAULT '{}'::text,
  version character varying NOT NULL DEFAULT 'initial'::character varying,
  last_used_at bigint,
  CONSTRAINT clients_pk PRIMARY KEY (client_id)
);
CREATE TABLE "connect_tickets" (
  digest character varying NOT NULL,
  user_id character varying NOT NULL,
  identity_provider character varying NOT NULL,
  expires_at bigint NOT NULL,
  consumed_at bigint,
  CONSTRAINT connect_tickets_pk PRIMARY KEY (digest)
);
CREATE TABLE "consents" (
  user_id character varying NOT NULL,
  client_id character varying NOT NULL,
  scope text NOT NULL,
  granted_at bigint NOT NULL,
  CONSTRAINT consents_pk PRIMARY KEY (user_id, client_id)
);
CREATE TABLE "grants" (
  id character varying NOT NULL,
  user_id character varying NOT NULL,
  client_id character varying NOT NULL,
  scope text NOT NULL,
  session_id character varying,
  auth_time bigint NOT NULL,
  claims text NOT NULL,
  created_at bigint NOT NULL,
  revoked_at bigint,
  revoked_reason character varying,
  CONSTRAINT grants_pk PRIMARY KEY (id)
);
CREATE TABLE "identity_providers" (
  id character varying NOT NULL,
  type character varying NOT NULL,
  display_name character varying NOT NULL,
  issuer character varying NOT NULL,
  client_id character varying NOT NULL,
  client_secret text,
  token_endpoint_auth_method character varying NOT NULL,
  scope text NOT NULL,
  offline_access boolean NOT NULL,
  sign_up text NOT NULL,
  authorization_parameters text NOT NULL,
  version character varying NOT NULL,
  data_key text,
  encryption_key_id character varying,
  disabled_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  options text,
  private_key text,
  CONSTRAINT identity_providers_pk PRIMARY KEY (id)
);
CREATE TABLE "jobs" (
  name character varying NOT NULL,
  next_run_at bigint,
  lease_owner character varying,
  lease_expires_at bigint,
  started_at bigint,
  ended_at bigint,
  outcome character varying,
  CONSTRAINT jobs_pk PRIMARY KEY (name)
);
CREATE TABLE "linked_accounts" (
  id character varying NOT NULL,
  user_id character varying NOT NULL,
  identity_provider character varying NOT NULL,
  issuer character varying,
  subject character varying NOT NULL,
  upstream_client_id character varying,
  claims text NOT NULL,
  status character varying NOT NULL,
  reason character varying,
  generation integer NOT NULL,
  lease_owner character varying,
  lease_expires_at bigint,
  refresh_intent_at bigint,
  token_type character varying,
  scope text,
  access_token text,
  refresh_token text,
  id_token text,
  verified boolean NOT NULL,
  expires_at bigint,
  obtained_at bigint,
  refreshed_at bigint,
  last_error character varying,
  data_key text,
  encryption_key_id character varying,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  unlinked_at bigint,
  default_since bigint,
  linked_at bigint,
  linked_session_id character varying,
  failures integer NOT NULL DEFAULT 0,
  retry_at bigint,
  refresh_token_expires_at bigint,
  refresh_token_used_at bigint,
  authorized_at bigint,
  read_at bigint,
  CONSTRAINT linked_accounts_pk PRIMARY KEY (id)
);
CREATE TABLE "login_attempts" (
  state_digest character varying NOT NULL,
  identity_provider character varying NOT NULL,
  browser_digest character varying NOT NULL,
  secrets text NOT NULL,
  data_key text NOT NULL,
  encryption_key_id character varying NOT NULL,
  connect_user_id character varying,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  consumed_at bigint,
  CONSTRAINT login_attempts_pk PRIMARY KEY (state_digest)
);
CREATE TABLE "migrations" (
  id integer NOT NULL DEFAULT nextval('migrations_id_seq'::regclass),
  "timestamp" bigint NOT NULL,
  name character varying NOT NULL,
  CONSTRAINT "PK_8c82d7f526340ab734260ea46be" PRIMARY KEY (id)
);
CREATE TABLE "outbox_messages" (
  id character varying NOT NULL,
  kind character varying NOT NULL,
  subject_id character varying,
  payload text,
  data_key text,
  encryption_key_id character varying,
  attempts integer NOT NULL,
  next_attempt_at bigint,
  lease_owner character varying,
  outcome character varying,
  last_error character varying,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  topic character varying,
  CONSTRAINT outbox_messages_pk PRIMARY KEY (id)
);
CREATE TABLE "posted_parameters" (
  digest character varying NOT NULL,
  purpose character varying NOT NULL,
  parameters text NOT NULL,
  data_key text NOT NULL,
  encryption_key_id character varying NOT NULL,
  expires_at bigint NOT NULL,
  CONSTRAINT posted_parameters_pk PRIMARY KEY (digest)
);
CREATE TABLE "refresh_tokens" (
  digest character varying NOT NULL,
  grant_id character varying NOT NULL,
  client_id character varying NOT NULL,
  scope text NOT NULL,
  created_at bigint NOT NULL,
  idle_expires_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  consumed_at bigint,
  successor character varying,
  answer text,
  data_key text,
  encryption_key_id character varying,
  CONSTRAINT refresh_tokens_pk PRIMARY KEY (digest)
);
CREATE TABLE "sessions" (
  id character varying NOT NULL,
  cookie_digest character varying NOT NULL,
  user_id character varying NOT NULL,
  identity_provider character varying,
  auth_time bigint NOT NULL,
  auth_time_proven boolean NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ended_at bigint,
  linked_account_id character varying,
  CONSTRAINT sessions_pk PRIMARY KEY (id)
);
CREATE TABLE "signing_keys" (
  kid character varying NOT NULL,
  algorithm character varying NOT NULL,
  status character varying NOT NULL,
  public_jwk text NOT NULL,
  private_key text NOT NULL,
  data_key text NOT NULL,
  encryption_key_id character varying NOT NULL,
  created_at bigint NOT NULL,
  retired_at bigint,
  activated_at bigint,
  CONSTRAINT signing_keys_pk PRIMARY KEY (kid)
);
CREATE TABLE "throttles" (
  key character varying NOT NULL,
  failures integer NOT NULL,
  blocked_until bigint,
  expires_at bigint NOT NULL,
  CONSTRAINT throttles_pk PRIMARY KEY (key)
);
CREATE TABLE "upstream_circuits" (
  identity_provider character varying NOT NULL,
  failures integer NOT NULL,
  retry_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  CONSTRAINT upstream_circuits_pk PRIMARY KEY (identity_provider)
);
CREATE TABLE "used_assertions" (
  id character varying NOT NULL,
  expires_at bigint NOT NULL,
  CONSTRAINT used_assertions_pk PRIMARY KEY (id)
);
CREATE TABLE "user_tokens" (
  id character varying NOT NULL,
  user_id character varying NOT NULL,
  name character varying,
  digest character varying NOT NULL,
  client_id character varying,
  grant_id character varying,
  scope text,
  metadata text NOT NULL,
  revoked_at bigint,
  created_at bigint NOT NULL,
  expires_at bigint,
  CONSTRAINT user_tokens_pk PRIMARY KEY (id)
);
CREATE TABLE "users" (
  id character varying NOT NULL,
  username character varying,
  full_name character varying,
  email character varying,
  email_verified boolean NOT NULL,
  password_hash character varying,
  basic_auth_enabled boolean NOT NULL,
  blocked_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  email_verified_by character varying,
  CONSTRAINT users_pk PRIMARY KEY (id)
);
CREATE TABLE "webhooks" (
  id character varying NOT NULL,
  url text NOT NULL,
  description character varying,
  events text,
  secret text NOT NULL,
  previous_secret text,
  previous_secret_expires_at bigint,
  data_key text NOT NULL,
  encryption_key_id character varying NOT NULL,
  disabled_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  CONSTRAINT webhooks_pk PRIMARY KEY (id)
);
CREATE UNIQUE INDEX access_tokens_digest_unique ON public.access_tokens USING btree (digest);
CREATE INDEX access_tokens_expires_at ON public.access_tokens USING btree (expires_at);
CREATE UNIQUE INDEX api_keys_digest_unique ON public.api_keys USING btree (digest);
CREATE UNIQUE INDEX api_keys_name_unique ON public.api_keys USING btree (name);
CREATE INDEX audit_events_at ON public.audit_events USING btree (at);
CREATE INDEX audit_events_user_id ON public.audit_events USING btree (user_id, at);
CREATE INDEX authorization_codes_grant_id ON public.authorization_codes USING btree (grant_id);
CREATE INDEX client_secrets_client_id ON public.client_secrets USING btree (client_id);
CREATE INDEX grants_client_id ON public.grants USING btree (client_id);
CREATE INDEX grants_user_id ON public.grants USING btree (user_id);
CREATE INDEX linked_accounts_provider_status ON public.linked_accounts USING btree (identity_provider, status) WHERE (unlinked_at IS NULL);
CREATE UNIQUE INDEX linked_accounts_subject_unique ON public.linked_accounts USING btree (identity_provider, subject) WHERE (unlinked_at IS NULL);
CREATE INDEX linked_accounts_user_id ON public.linked_accounts USING btree (user_id, identity_provider);
CREATE INDEX outbox_messages_next_attempt_at ON public.outbox_messages USING btree (next_attempt_at);
CREATE INDEX outbox_messages_subject_id ON public.outbox_messages USING btree (kind, subject_id);
CREATE INDEX refresh_tokens_answered ON public.refresh_tokens USING btree (consumed_at) WHERE (answer IS NOT NULL);
CREATE INDEX refresh_tokens_encryption_key_id ON public.refresh_tokens USING btree (encryption_key_id) WHERE (encryption_key_id IS NOT NULL);
CREATE INDEX refresh_tokens_expires_at ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX refresh_tokens_grant_id ON public.refresh_tokens USING btree (grant_id);
CREATE INDEX refresh_tokens_successor ON public.refresh_tokens USING btree (successor) WHERE (answer IS NOT NULL);
CREATE UNIQUE INDEX sessions_cookie_digest_unique ON public.sessions USING btree (cookie_digest);
CREATE UNIQUE INDEX signing_keys_one_current ON public.signing_keys USING btree (algorithm) WHERE ((status)::text = 'current'::text);
CREATE UNIQUE INDEX signing_keys_one_next ON public.signing_keys USING btree (algorithm) WHERE ((status)::text = 'next'::text);
CREATE INDEX used_assertions_expires_at ON public.used_assertions USING btree (expires_at);
CREATE UNIQUE INDEX user_tokens_digest_unique ON public.user_tokens USING btree (digest);
CREATE INDEX user_tokens_grant_id ON public.user_tokens USING btree (grant_id);
CREATE UNIQUE INDEX user_tokens_name_unique ON public.user_tokens USING btree (user_id, name);
CREATE UNIQUE INDEX users_username_unique ON public.users USING btree (username);
INSERT INTO "access_tokens" ("id", "digest", "client_id", "grant_id", "claims", "expires_at", "revoked_at") VALUES ('bbb3ed02-3c2e-4ede-b2f3-923a43a97e20', 'oYOU9f-b9eaKObJQU21A4-eK2TcPvHOMBgg7tIvFp8A', 'keeper', '5d80483a-52bf-4004-aff9-7ba80729b2e6', '{"iss":"http://localhost:3000","sub":"18089af7-81b1-4914-803f-a42e28d86f9d","iat":1795410965,"auth_time":1795410965,"exp":1795497365,"client_id":"keeper","scope":"openid offline_access","grant_id":"5d80483a-52bf-4004-aff9-7ba80729b2e6","aud":"http://localhost:3000","jti":"bbb3ed02-3c2e-4ede-b2f3-923a43a97e20"}', '1795497365000', NULL);
INSERT INTO "access_tokens" ("id", "digest", "client_id", "grant_id", "claims", "expires_at", "revoked_at") VALUES ('2158902e-0bdd-4478-a687-c03a98898db3', 'pDg129v_HH-5qgSRWkuXl7oCpH-vw7WKiBx1Ns2rGSo', 'keeper', '5d80483a-52bf-4004-aff9-7ba80729b2e6', '{"iss":"http://localhost:3000","sub":"18089af7-81b1-4914-803f-a42e28d86f9d","iat":1795410965,"auth_time":1795410965,"exp":1795497365,"client_id":"keeper","scope":"openid offline_access","grant_id":"5d80483a-52bf-4004-aff9-7ba80729b2e6","aud":"http://localhost:3000","jti":"2158902e-0bdd-4478-a687-c03a98898db3"}', '1795497365000', NULL);
INSERT INTO "api_keys" ("id", "name", "digest", "scope", "created_at", "expires_at", "last_used_at") VALUES ('aae19155-168d-40d1-bbb5-d4dff7bba635', 'pipeline', 'TSs2g3MwBityLcXiY-S21Inv92WcU-RSEzH-PWLmxaA', 'admin', '1795410965674', NULL, NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('user:alice', 'user', 'alice', 'release:GS1D6EXyc-nh4-pA-AwJ4TOLCUl2THrMyqgLMBIktHM', '1795410965061', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:app', 'client', 'app', 'release:O6AIS903Ix1xA_6GsfRBwt1256AB_i7aU-qY-YBjORM', '1795410965079', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:keeper', 'client', 'keeper', 'release:EUa1hIgiBNAZ3fudcM4WYMAxskk2Mv_GFD-p8f-ryMs', '1795410965114', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:signer', 'client', 'signer', 'release:Nff47MOqiAdxYQ_UjLA1DNoiOA82NraTkPZmkhaVc8I', '1795410965116', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:swagger-ui', 'client', 'swagger-ui', 'release:3RulxfQtBMU_At6MyiJ9OIpLQjIU4MQBI5r4TXn1MRc', '1795410965119', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('identity-provider:corp', 'identity-provider', 'corp', 'release:Z71qKM7ymKPSxY7rr6S2-7qKB_tzteSAtM_OWILfPGc', '1795410965122', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('identity-provider:legacy', 'identity-provider', 'legacy', 'release:AcjJUBlD_K70uUZKoidY2-k8ssRuYlgeVD-UjuFnSqM', '1795410965123', NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('f90bdb3c-93cc-46cb-a331-d03cdaf95692', '1795410965602', 'identity.linked', 'success', '18089af7-81b1-4914-803f-a42e28d86f9d', NULL, 'corp', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('a6db6407-8d14-4e88-99c5-946d434bc4b9', '1795410965609', 'identity.linked', 'success', '18089af7-81b1-4914-803f-a42e28d86f9d', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('54ac2dc1-ce8b-47f6-a3ba-13536aa5d98b', '1795410965616', 'identity.linked', 'success', 'bob', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('4f2cc585-48dc-4f33-b305-3cc514dab984', '1795410965626', 'identity.unlinked', 'success', 'bob', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('e5ce7d1a-95f7-4bba-bfa4-779e6f765655', '1795410965632', 'user-token.created', 'success', '18089af7-81b1-4914-803f-a42e28d86f9d', NULL, NULL, 'named', NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('fe59614a-ee38-4581-bfc1-523fa02441aa', '1795410965664', 'token.issued', 'success', '18089af7-81b1-4914-803f-a42e28d86f9d', 'keeper', NULL, 'authorization_code', NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('fc30a642-6eff-4f5e-a882-48ca1ac21c8a', '1795410965674', 'token.issued', 'success', '18089af7-81b1-4914-803f-a42e28d86f9d', 'keeper', NULL, 'refresh_token', NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('9f2f78da-f343-4923-8569-3c5cc5621fd2', '1795410965675', 'api-key.created', 'success', NULL, NULL, NULL, 'aae19155-168d-40d1-bbb5-d4dff7bba635', NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('106d19a3-1e27-42be-b63e-dc319ce8adbd', '1795410965677', 'webhook.created', 'success', NULL, NULL, NULL, 'ddfa0870-9b8d-47d7-9c4f-bdd7e128cff8', NULL, NULL, NULL);
INSERT INTO "authorization_codes" ("digest", "grant_id", "client_id", "redirect_uri", "code_challenge", "nonce", "created_at", "expires_at", "consumed_at") VALUES ('_x-5eGPtNBy4HTLXUVRu2yqzAUf9NnoPAW4YXsOQJlI', '1d02cb5b-3287-40d8-ba5e-37df9fa5036b', 'app', 'https://app.example/callback', NULL, 'a nonce', '1795410965634', '1795411025634', NULL);
INSERT INTO "authorization_codes" ("digest", "grant_id", "client_id", "redirect_uri", "code_challenge", "nonce", "created_at", "expires_at", "consumed_at") VALUES ('MPubC4FfNqVvq97FBIoPt0hpHp_g5m7qh33BPub9HAQ', '5d80483a-52bf-4004-aff9-7ba80729b2e6', 'keeper', 'https://keeper.example/callback', NULL, NULL, '1795410965641', '1798002965657', '1795410965648');
INSERT INTO "client_secrets" ("id", "client_id", "verifier", "created_at", "expires_at", "secret", "data_key", "encryption_key_id") VALUES ('5284238a-d4e8-4709-b92a-4fab5d6f19ff', 'app', '$argon2id$v=19$m=19456,t=2,p=1$3rjdausT9tZaN51GP0SaxQ$n2euI023ZRVkeTDs8j6e02EE+yNzIzsE0Py+exIKV40', '1795410965112', NULL, NULL, NULL, NULL);
INSERT INTO "client_secrets" ("id", "client_id", "verifier", "created_at", "expires_at", "secret", "data_key", "encryption_key_id") VALUES ('b14e7ca0-0355-4667-8cb2-5d36736e4578', 'keeper', 'sha256:dp4rKEwMilaMqhjMiBGnVYC7vYLAtY-DyzgTnaktN0I', '1795410965115', NULL, NULL, NULL, NULL);
INSERT INTO "client_secrets" ("id", "client_id", "verifier", "created_at", "expires_at", "secret", "data_key", "encryption_key_id") VALUES ('36b63bef-04d2-4353-91ff-976850ffc6ea', 'signer', 'sha256:uAme5bRPmWDhKzbtvVBlgd-bgTxDBLNKRbKPvmLbDe8', '1795410965118', NULL, '9esOGV6gznc73VZAgStofJojdhzMUWjb5tI3M8KgVBgd0Oz+3mWsYCZLGuhxVOCHhxcdEel3rcfaCRjyBsijwHyNhf0W2ItEH+lT', 'ZOhleI46XwAimtGx7j/yZyZnUo7KSLW7MNRVy91drx3aYGUBpyKwZJHzSvLwNYoRh0iHZI9QbyZu3ptP', 'release');
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at", "access_token_format", "introspection", "jwks", "jwks_uri", "token_endpoint_auth_signing_alg", "access_token_lifetime", "refresh_token_lifetime", "metadata", "version", "last_used_at") VALUES ('app', 'An application', 'client_secret_basic', '["authorization_code"]', '["https://app.example/callback"]', 'openid email federated-identity:token', '["corp"]', true, 'explicit', true, 'RS256', NULL, '1795410965110', '1795410965110', 'jwt', 'own', NULL, NULL, NULL, NULL, NULL, '{}', 'a4e1d37d-9477-4ac3-bd37-cb6a9eeb1e44', NULL);
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at", "access_token_format", "introspection", "jwks", "jwks_uri", "token_endpoint_auth_signing_alg", "access_token_lifetime", "refresh_token_lifetime", "metadata", "version", "last_used_at") VALUES ('signer', 'signer', 'client_secret_jwt', '["client_credentials"]', '[]', 'accounts:read', '[]', false, 'explicit', true, 'RS256', NULL, '1795410965117', '1795410965117', 'jwt', 'own', NULL, NULL, NULL, NULL, NULL, '{"contacts":["ops@signer.example"]}', '541eca16-cbd2-4bb5-b8e2-d482ac5ad629', NULL);
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at", "access_token_format", "introspection", "jwks", "jwks_uri", "token_endpoint_auth_signing_alg", "access_token_lifetime", "refresh_token_lifetime", "metadata", "version", "last_used_at") VALUES ('swagger-ui', 'API documentation', 'none', '["authorization_code"]', '["http://localhost:3000/docs/oauth2-redirect.html"]', 'openid profile email offline_access federated-identity:token user:federated-identity:set user:federated-identity:delete onezone:tokens', '[]', false, 'explicit', true, 'RS256', NULL, '1795410965119', '1795410965119', 'jwt', 'own', NULL, NULL, NULL, NULL, NULL, '{}', '4613805e-92e4-4cd1-967d-87ede518bc12', NULL);
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at", "access_token_format", "introspection", "jwks", "jwks_uri", "token_endpoint_auth_signing_alg", "access_token_lifetime", "refresh_token_lifetime", "metadata", "version", "last_used_at") VALUES ('keeper', 'keeper', 'client_secret_basic', '["authorization_code","refresh_token"]', '["https://keeper.example/callback"]', 'openid offline_access', '[]', false, 'explicit', false, 'RS256', NULL, '1795410965114', '1795410965115', 'opaque', 'own', NULL, NULL, NULL, 86400, NULL, '{}', '7c2581d3-510d-4153-ab43-2db885860d93', '1795410965644');
INSERT INTO "grants" ("id", "user_id", "client_id", "scope", "session_id", "auth_time", "claims", "created_at", "revoked_at", "revoked_reason") VALUES ('1d02cb5b-3287-40d8-ba5e-37df9fa5036b', '18089af7-81b1-4914-803f-a42e28d86f9d', 'app', 'openid email', NULL, '1795410965634', '{"name":"Alice"}', '1795410965635', NULL, NULL);
INSERT INTO "grants" ("id", "user_id", "client_id", "scope", "session_id", "auth_time", "claims", "created_at", "revoked_at", "revoked_reason") VALUES ('5d80483a-52bf-4004-aff9-7ba80729b2e6', '18089af7-81b1-4914-803f-a42e28d86f9d', 'keeper', 'openid offline_access', NULL, '1795410965641', '{}', '1795410965641', NULL, NULL);
INSERT INTO "identity_providers" ("id", "type", "display_name", "issuer", "client_id", "client_secret", "token_endpoint_auth_method", "scope", "offline_access", "sign_up", "authorization_parameters", "version", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at", "options", "private_key") VALUES ('corp', 'oidc', 'Corp', 'https://corp.example', 'symbolon', 'hwA0EnF5HuarLH68GHaptB77fe3Ts8Qm3vCmoimeqU56NH6urx1YcSjjw1z70egrHwgA7PKyDYPQIeHAzJgW17+nbWECEbrHuuMQ', 'client_secret_basic', 'openid profile email offline_access', true, '["corp.example"]', '{"prompt":"consent"}', '695c41ac-39df-480e-a69b-8e1f9f33d6c0', 'CVE4kpf88bs9+8XjqxGHRhW9jeT6lbXexmut0OkbjdUXCG0cN5nyHD/RwbfQFA6B0XsFP/kCPGWJPAPP', 'release', NULL, '1795410965122', '1795410965122', '{"endpoints":{},"claims":{},"tenants":[],"trustVerifiedEmail":false,"retention":{},"responseMode":"query","clientAssertionAudience":"issuer"}', NULL);
INSERT INTO "identity_providers" ("id", "type", "display_name", "issuer", "client_id", "client_secret", "token_endpoint_auth_method", "scope", "offline_access", "sign_up", "authorization_parameters", "version", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at", "options", "private_key") VALUES ('legacy', 'oauth2', 'legacy', 'https://legacy.example', 'symbolon', 'KrjWi0JfMXEx8tzzCJPbnAsOzxVr8HjUuOntPgijWLJeeDNY+DDIbP+d5IZ+0qPiYidwrthsDHAix2/JeQPXmfENbuMkBgQFy2fyZTk8ztO7vA==', 'client_secret_basic', '', true, 'false', '{}', '8b323d00-92d6-43a0-be3f-c49096897df2', 'yxgx4NaR8gdlUqVwxCGdVuWG+qBugn0A52NYFyKIjADr48cMqL7V4U76exhSUNsR/JX1qQRXs3LOfnRE', 'release', NULL, '1795410965124', '1795410965124', '{"endpoints":{"authorization":"https://legacy.example/authorize","token":"https://legacy.example/token","userinfo":"https://legacy.example/me","revocation":"https://legacy.example/revoke"},"claims":{"sub":"user.id"},"tenants":[],"trustVerifiedEmail":false,"accessTokenLifetime":"none","retention":{},"responseMode":"query","clientAssertionAudience":"issuer"}', NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('rewrap', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('signing-keys', '1795410965584', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('ended-grants', '1795410965585', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('refresh-token-answers', '1795410965585', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('retention', '1795410965585', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('keep-alive', '1795410965585', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at", "refresh_token_expires_at", "refresh_token_used_at", "authorized_at", "read_at") VALUES ('94161b2e-f745-4421-a2cc-0536ccee2dd2', '18089af7-81b1-4914-803f-a42e28d86f9d', 'corp', 'https://corp.example', 'alice-at-corp', 'symbolon', '{"sub":"alice-at-corp","name":"Alice"}', 'active', NULL, 1, NULL, NULL, NULL, 'Bearer', 'openid email offline_access', 'H7IMBLzIVlP1r9Pxu05qsTseYxpAdPCqcsFiA7X2k2np5+lpSjtR/uzJgCDr/PwHOwI2E4GUzlBqFJHDZVpzoW8lQuTau/kAHUE=', 'YW3pyo/xXlEXCk4Y8MsnGhAwi29C64lymiyUZzOqgYA4j01GYWBCRGxG364LTTnli7bN7tafn5qDGhsdrRWAJzqgZDJ/BUdzUjEr', NULL, true, '1795414565597', '1795410965597', NULL, NULL, '9r+iXgcQtiOQG6m7VbN6QoW6V/BskHWEqFdcRIxNL/n8SOJaWVylM1v3V5Tsfu/1jDVuyAVYFNTixvrj', 'release', '1795410965598', '1795410965601', NULL, '1795410965602', NULL, NULL, 0, NULL, NULL, '1795410965597', '1795410965600', NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at", "refresh_token_expires_at", "refresh_token_used_at", "authorized_at", "read_at") VALUES ('2e01a031-906c-4ff5-bbe3-ab20c5bfdf94', '18089af7-81b1-4914-803f-a42e28d86f9d', 'legacy', 'https://legacy.example', '17', 'symbolon', '{"sub":"17"}', 'active', NULL, 1, NULL, NULL, NULL, 'Bearer', '', 'wgLgIjiklsW/rZXUBDr56XYQ7uVpGIBrblZv7f7U1Ftkx6U4V8sA+lDD9b7Oy0JQSP42iDrrZS+3yJfb2eyVV693Ak+9gWdCHFWPuf0IFJ2fKpPU', NULL, NULL, true, NULL, '1795410965604', NULL, NULL, 'bSjxjtVpI73D+Tz/ECZKmhIo/QcqXnpMa0xmC7sfohCzFCwwSAJfbbJx8cmWKeZjyzRAJVHHpDIfgLnB', 'release', '1795410965605', '1795410965607', NULL, '1795410965609', '1795410965608', 'a session', 0, NULL, NULL, NULL, '1795410965606', NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at", "refresh_token_expires_at", "refresh_token_used_at", "authorized_at", "read_at") VALUES ('547065ff-614b-45b8-bff1-b86498f3b1af', 'bob', 'legacy', 'https://legacy.example', 'bob', 'symbolon', '{}', 'sign-in-only', NULL, 2, NULL, NULL, NULL, 'Bearer', NULL, NULL, NULL, NULL, true, NULL, '1795410965610', NULL, NULL, NULL, NULL, '1795410965611', '1795410965623', NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, '1795410965612', NULL);
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (1, '1763800000000', 'Initial1763800000000');
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (2, '1764000000000', 'ProvidersAndLinking1764000000000');
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (3, '1764100000000', 'EventsAndJobs1764100000000');
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (4, '1764200000000', 'TokenEngine1764200000000');
ALTER SEQUENCE migrations_id_seq OWNED BY migrations.id; SELECT setval('migrations_id_seq', (SELECT max(id) FROM migrations));
INSERT INTO "outbox_messages" ("id", "kind", "subject_id", "payload", "data_key", "encryption_key_id", "attempts", "next_attempt_at", "lease_owner", "outcome", "last_error", "created_at", "expires_at", "topic") VALUES ('eeb6044f-3a72-467b-ab6d-59fe10ffb05f', 'upstream-revocation', '547065ff-614b-45b8-bff1-b86498f3b1af', 'eEFYwWzkNJujXlauN9CqYxkeIsa5U4HhMJZjoU50oucVbMy7uxVn1HSuvcbGpwIH7nzvVoAExGt8n/lPmMKmo3usXSzAGekqDa0GvTG8RLq60LRgKj1kS76ocXmuj2FS9D1b0lOpDms60bCeJ0jGd3RAVpTHM+aMlufy9DA0uLtnjBpcphMYA8nDHFfnCjSn/E6DUBDFTb4+jfsKtw1u+kW4UcOgCoknaZBgPqq9q3XrBuonGsxEgYIZQ252qQ2f0tkBS6xup1pknJxT64u1Nj4idb0XcUhuSvmyoAlYRbkl', 'VDahaxCWzuJOCTDorDCKItyn4J9n7r7rSjH9JtDTjRiJ9M4QaVfUlBaObvsitMLyLT/Vd+kA3vUB3dbk', 'release', 1, '1795410975601', NULL, NULL, 'unavailable', '1795410965625', '1795670165625', NULL);
INSERT INTO "refresh_tokens" ("digest", "grant_id", "client_id", "scope", "created_at", "idle_expires_at", "expires_at", "consumed_at", "successor", "answer", "data_key", "encryption_key_id") VALUES ('vvNIT35uehuKaU77ZSHVhSo0qwFlqwmdFvhi3ZXXeXs', '5d80483a-52bf-4004-aff9-7ba80729b2e6', 'keeper', 'openid offline_access', '1795410965671', '1796620565671', '1798002965657', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "refresh_tokens" ("digest", "grant_id", "client_id", "scope", "created_at", "idle_expires_at", "expires_at", "consumed_at", "successor", "answer", "data_key", "encryption_key_id") VALUES ('IKKTeJXJDSepCOqUBIQH4I3WqrkkWgRJM3j7V_Si-Q0', '5d80483a-52bf-4004-aff9-7ba80729b2e6', 'keeper', 'openid offline_access', '1795410965657', '1796620565657', '1798002965657', '1795410965669', 'vvNIT35uehuKaU77ZSHVhSo0qwFlqwmdFvhi3ZXXeXs', '9ew+LCRkX+xnJiKuixCQ9qk+87pUMxRla+YX3yo2kc7ORXfB8mFdM/uAqNXP/riJFMWXXfmRX/di/O2DTJaOi2f+gEg4I53fmd9Jx0Yo9V4GHAiAJ8JGP6RD25jFvbX7HrKL9Bc6VtmbD5/2Ma0Bco8D1XIPs6HLyLsbz3JAlRyZZXap5NS5uf18gysCgBFOQlborvm6HsR7t0AdmSrWwipqaj9ZqPdw2ud2eSqu9n4+DBTBRtebfwcHql2WrWggPG9FwUYLf1/bIOJYznu9oK2bOFNK9PGUvx+Kf0htV2P3Kp0SnsVmtGf67QsVuC2fzoIGbyJT0EglxI2HGnVJZJ6KhlEl23HP6bMnvu2+toMw5EptTGcYG+H7rIquVdqaQypq72Zff6ojDmvzXCArJCljzKNZ9nikNkRX18L1C/eM/ndPGGOGdKAsALMle/Plsmck+6QeSfMWsEM7OrqI2l5/yE2TayP0Q9DutJjUMc3mk6eh3WskHUws7WBz36/T7iCGM47E90+gnQ/sFlWns/OFxLlDyzTErd7NaTS4y7nPoei3/xUZogFCFv1weuPt0xtn01roF8n7MLlxX2qdRTgkw4U5twM0yeeiRdRWr6laY/2r/gm8dsnG8nmyQb8buxv+m9lYiFgcsYts2/J5OwF4YupbdSTA2E9EAhSaKpFdcAOs9TD7PVYDF4o+JlHyPgHnqQCfDeiFUXsXQwA+ya/xZpiDUvoNWrjj8lc9/FmJRJMqC7+hI8qZhVCATjUN6wjhPPVGxw5wyyyy/DKhP1WKZpZ1gf64EdXKaVk3V/IQxlLjhqU5chMlPSXRH0czC/4sb2DioVOAD2QA/zdfHAOMazHNDrYngjtylwcFBfdQhPt2duUxv9at84G9jW5JfharLculU6hxBfkXU1l4Me/POCZOGv1QoG/lejrjgUqrvQxkCS8buBezypVEA0GyUKXsDqLfyn2Xg0VizYsfErkSIT0B21Djd55ZmlPbFnOsWzVhpLn3RyXdurcsrhWK8+hl+JSS0zqHluuVveXM+sVsdJkJkuLthewcBcs+vEuTZQpbVLa56O0eHGHK/RjIl0GW3BOajgFvJOPdF0kmLsVKGH8pTWTshdYKf7xFJwHmkylGy8+aqnhEcwG4NOcUa2p8W/fQt/NsQbqtMBS0+omQ4h7yIxrOoPU74/fO8iI=', 'WXRQ9/Va6eauJgjfgRCcebFuVqTN2lOioHfp3c5ZWoY/ynMjYCtVTBLrd/tY2QNK6RxNxJqA6g4D8rux', 'release');
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at", "activated_at") VALUES ('c_CPu2Q5k1psXMO192-S2jCHUUySFohyEM2s-FbiQko', 'ES256', 'current', '{"kty":"EC","x":"4PM-yKteKkez4CfpKQjMGJp4ay-a9Hl_o5VAUmdgA1k","y":"yS4unmqMBvfChjELzzrplL79TjFWqugGIWnyH8Fccqc","crv":"P-256","kid":"c_CPu2Q5k1psXMO192-S2jCHUUySFohyEM2s-FbiQko","alg":"ES256","use":"sig"}', 'wF06xdqf9GY6blCpv6HP4zsIDQo7EJvPtwUzEpZ2HjvSUHgv+joJaWDkXQs5T11JWJ3CpDN0pJCpbL2iZuBGRcXMJg36oOJRwgPlm5+JuSrsdIW/GScLFJ4vcX7XpwhVhQf+pGbgt2TcG8ffyW4warPKkWdGrQoyuyJvwcDHBhokOM0wKaflgK0S6VDTHg7eUKWnhCRMx+MFDTzkME85fD2Sb93iJa93Y+HNofqtRfJCRXBBAdA3Yt3WtN0PAmoMA5SpuKxdL+hKyNvg5Nsp7+rwOjfWT4kFAqK3OEh2cNnGvK26IgPyu90j8yxUp0jMiVj7ft3CHRmMSEY/1JUF6K2JLgy6yxrIuYtf7g==', 'f28Jq3ZHMGqUKd0VIdzkP3h0ZG8QmuxwFGBy3DkOSsHdxsX4598jygjTlx8SoJe5wGHlDlTbijpA30ZQ', 'release', '1795410965130', NULL, '1795410965130');
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at", "activated_at") VALUES ('wmblRcoHQ0b8RQavd6K_p8WzpVS4wnz8iurbQ2zhpb8', 'ES256', 'next', '{"kty":"EC","x":"UbJdK9_lSzSSTxXuaI-TuoOYHjcM2hRUbNa012-X-Sw","y":"l_q2LxkEe7iqx8Syb12V4eD2ZSkhzMvtoGAPozSFBLc","crv":"P-256","kid":"wmblRcoHQ0b8RQavd6K_p8WzpVS4wnz8iurbQ2zhpb8","alg":"ES256","use":"sig"}', 'IGyCvh0dgY0CXqwN1nwit+cwry9y3jMANSwE5MIkfuK3tM+1zgZACgYhbUbRMVt4tp8GqgdLxYRvJhkN3RutolN55SpgSZWFSaSlJH6Qq9uEZwzobZbfqLY/yKVwEkZ7IIyHcwmACXlElczQsA0bDcbZkG+3PPTwHG5VQoAysCmIcUocxIUypPo2jQE6+wyn3bUeXW/mI2KhxC8zAG5FeiqC4Nr50dsaarPmLW1uVkmbdA8f/7qpYvdAd4///2SrLdcs3vEreOMFiFoTudS6PavZHDyLUg7KFXgpefOQT3xbgu8PZ1vsPqqUaoQY4wOerqPWjFR0MbH6W0RaCyAwWCwArgOao+j5hGuLOQ==', '0qLM90z3ghw4H2RZSLxYxie5JEuvPaPihuz2F1dhzkj2WSX/g0/YFb68HYxNllyZFFUlmOaOGUGsqp3Q', 'release', '1795410965130', NULL, NULL);
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at", "activated_at") VALUES ('lmvwP0LjaBmaXCAhOU3xNM_X6V3zWAjB_xjkxhU--jA', 'RS256', 'current', '{"kty":"RSA","n":"xAz-D7WIK8Sod3kiihTTF_Mk_GV_lBM3y5FX1tRwwe40RNvAWq3pe9-LyV4Qu3aL0AO2s0b9JXMy9vPs_-BVSV_1su9rs3SfpUTWTWKR9cUcWiEetZhIcLL9GWe2kNZeXYgEY9PRWGVadQ29IcsNzN1CQ8Sk7x6nfBTa59rEVBCo5qMnI59jOyiSIwYhx2EVyZHJhMVzoJEnhPVxncVHHrCFFzDpavuvfASV423xqarwkjHyXnacnUI6QEh4gdV7cBF7fJV9UZ-NjELes0KzU0raPg8InCYyI2S3x0IwLKhWvKT_OcaX3MifNXJErwlcwpUafzv7QZUmgNieXb7gZQ","e":"AQAB","kid":"lmvwP0LjaBmaXCAhOU3xNM_X6V3zWAjB_xjkxhU--jA","alg":"RS256","use":"sig"}', 'Ndf4j7CLTx7rhHs+RtbrbuwAxt7sFdYAon+DdmO7C/cueH9N3MBQNxftU6J5KmDOUOHeIkHguKToS/PXy4xrMUT2njvVeJtVZmCZlxQjxbo+RpUYJifPOtGIZd+ByfCS6gB7Bt2WL/mGhk7sqa+Ro9LTs8/8yaO+VmdgcP4T+PtmZotpDjXnDODExU5S/RjC3EqsS+Les9uGI0i8VesUUg5NZJn0n662DEv3i6FzhCGGOF56bOnp3nh/vnbvg/OQrZzNSbI6tRaLEHGYYa8Wwo36J4z1pY8X2sEyzfPbT+/UfzGcV24kI+9Wh1cohzV3hTlUxtj3Rvv45JLPeWuS+qIHGbK7RQZl3nWs5ltaBw8kv7WgzMsViKufJC4AVc8q8KFSSL8iQyEBHwXeJDUTlrpjBDOTm2Gczyrp7NXIvY0nbAPetLl96sAy7xPpadHhAlP0BqTwdm3d085xzN5ZTq4KwfJH9ONCwWG4Y2/ypfBsrSiwACv4ZpvOH84lYMftlvM8Dj3ZjXgHjl/QCEGcj6KDL0g/HuWGyESsr4vTF/qyOkmUupy4RA3l194Meim68I5U0k3QSDnzQR+CXuTBI4/tnTkVQt6AyV62T2zH7x/qwU1W6J7oyzWGm1+KTVWd4OWRQua0O8sS1LEGtoCuB5VT4X0ngQGau36DrRhErTDJxRVT0U4wGRtg0O6c+t6zhzW9oOMZvY8pH9A62eySN7jNEz8Cckzqm+zKGyUiETlrv5ugzFWTBVJU2xtOe3eMZsaEs95kQOHV+9+ZC2aZ97Wd5LcxBQ12YWjwXtGPelxGH79bKegSkr0oisIWmDXfP0I70Ep/4DFlbfwt4+Xfza7HzdcLjbOvE86e9enO1rvm89Y7SwiVqXdPfYYPzdN20bOh0hoMNqY1y++DifpnDH7VxMqihnQnLAtNBd95fr4TXjSGY45PxIKVSU9W4h01j8I36XQjOkQfd2I8NLELD66KknDa8TPAj0e6fD3oedXwKUE5SdlTimW55gWK15YvqYpNyQD+Z0SAFNgIckqUgO05Fvyj+fb5YYJ7yiUrGMoz/kRPOU9Y0Ltb5g+OJX6nNbpZmFQcEa9aeJmgeS9wS/QTgKjUaDB9lKRjRrIy3T6RjdVY3gvnK7Ap7hzwMms2f2/pGGSEPszY3zltdOBVRYS+VaRJDZjmgaKgRP2KC8NsbzNCizQ2gpFM1+y+MQENXh01NTM/mLwxrQp8pHE4eJaLSUjQSVCfEWd+1e9fFbilo/0yFkxBjLcrZOhDwV0BAuT7B86Ca07ZIyZ6bCELYQVNVeOwSWlGpqXuldvxd+fHbzggrHFBW1UFunTCiaeteSL/KBSK0QuK8Cx0zkC1YC4hvCOar2KoV1+KWeD5FmU+cqsQ76lrvOYJSaN17gkhkze1iEWv5Abxq35YReyRCXPGL0h42z4ACQeJUeU2brTrlYnO08PObRLwi0zfXvgRRfeL0xatVcDpqI1SrnTtGpNvjxcQJAZpxL9BkGSCCRmFdFoNOdMFg63k0oy9bQKclB7sAwADyBDqx9f4idaCCIybJIU+3urhO+AMvMCmyyfYiQwnG+EkuX251rkoniI35WfI2QtLIrs52vENnBwyteI/Q7wR4y5bfHa0ETKE3n2IaMvtXZ7pcceADixAyfWSILlKo407g7RyVfZbqTtIQx2xvCn0OKhBnxzwTU65pNq1Xxr5E7GpVEJmmk+gwPb+IL7Z1x61Dat52WZglq1fPY6340KrUDTvQPXMvFKGAjM8EWZ7pjLiUNi8md0Q7OJaHCPXoSWApPnyWI5qkcR/T41keYJhT173gjq5aCb/fa9wSUt1ZRyzL2u/JQk3ZuaPH5rR1Azbswru5F13eSqbSMu6TkKL1knTCNgbaEMUAI/CW/9dxv9+OaeArc7p8x0c6eGxgPkZ8TlIAjSksFMsEXNV4t4BRZrZCvbsGYFrlH6EqwL1siCVvf5INhT4ZgoD+zQIqjNnqm9s72KRyobBk36C7ckRb/IS45EKIoWzcaKcGlLwwE0WmCy+4icJVvlfaGp9x8my/WKJyr+pAfhWD9FDQgRzJEtN84ylhm/qBjExoLdLmVkSodDhjGAihMYCDJ3JXMJH/uJ3j34W19GSj/5sXxviTQvU6umJV6fvIJFWrYmfl/Tq3/NFsY6oMdjBbc/rqCxRsVW88x0e8GTSiJ6NHl4J/STsoivbqJQQT+IahSdI7RUl5IaxqnDEe8J0rHDFvKPr428ywKmiGrtHHyKm86QVNSwyjN2m1dml//qBXnCHnM3RWAyclBkkFAcX/MeY', 'OWtA3dYkRsuHd4kIvtShLWEpFHTWMXh9EkZAf7asTh/+TKZOB8H66YtQG2r5nCFq0hFbyn5GEVLMaT5O', 'release', '1795410965580', NULL, '1795410965580');
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at", "activated_at") VALUES ('cgNmgeycwEUz6Oc-5nV3zspiw8VEV-LYtiUYQqNwSCM', 'RS256', 'next', '{"kty":"RSA","n":"16oPqhBzSWRhmSibyK6XeuVm82ihdUqZEoeaGcFxKf4etuK7qg3ZLl-BNqYqBX68wAtpD_SsxXKBIzWh3Y7fjdgLbB10N5UIgEQhah4I5IPGT6b2SRQ_IxY2rIwKRK7mC1n8n9LeGM1uJWKs52GzLNdSdwFqPs6L0IJKQ7BVt11Vlrbti_0AMYSZnR1wPaRHkVZNhUaTz-twCAlpW-qTEhBrp2xjyL_tMatbMdX2oufzaA8FV67-dIii-YxeFtqpYtHXQ-JDNSoAVXNO8r83FDOEG0cU-XoS6JBu3f8EN8-csvBoaRRwNoRtxXld_NxOS4Ksz0i6CCpS0QJkyeYqWw","e":"AQAB","kid":"cgNmgeycwEUz6Oc-5nV3zspiw8VEV-LYtiUYQqNwSCM","alg":"RS256","use":"sig"}', 'zTlWmFPTDXLHxc0hqOBRkq45XImvndAojKQrk2+zdxI+VmfomXiDkAdsFshAAKm5yh5DA3Och6944lVwc0kchUeYR2eTLPfgR6AyGit3OitoMsgThl0Ayf6VgskWjgz3kn8pBWZNb1muQhpFMeld6YS3Et8JpdE1n0QlHCig2I9X4bIHVBe01T0L2bf+Sk6rJl8DB7aD7LhzIfDbV9M4e2btingrJSc4MlL4nsQBTFNDHKgF+HkYR7ZCf/fWNoG42TUMzbwZLAt+vECVmQPm+VXtIPCl0SQ/SBv+Csv0voqnDwo969X/r6oXUIL2Rg+OtA1FIW6HyWAids2bPTu2V9oOx/QWXoKSmWBXzDewQz23PAS3WbGJ6K45hDAQSvQAtG0MzfQXfntiCWnct3g0TynapitMUYzUMf/7evTrLU2VbdqPvwMsUne8W21gDJt2QdA01zRBGf/jBInBT9nFIOyVOOOw7GBlYlcylQxoeg3087EwN7RFjAF85aKjLBjeuds7tw3I/mGSIYa/D1WLraA6qhVpNH6DnyinRVQBJ8gswLoen8NA9owlByYG2p4KjpoM0nNg/Cx11LtOHlHrnGWw/rrRlmiFuwiqMwoKTQjpTa/M7lF52JyZgdeVO5KNTpwHnbWvQSZcQTyeplLLiLk9H3qkWSFMEZPa6vWwGJCq64BKT5f/y0lRiWVAvNy2N+AZr2bboZr9h3fBuFL9lRba4QXEl8V4RTeDPiCNvVZUqfB489RxQs3dUhPBrkV3uoP3rcXGeIJwIiC+fB6F4fKs1CWgeuVrUhGJ67J1w6ujDn5N7GMKE4qd7HaYYw5DlNWW6q8gv31RVN3Q17iM/EwDT81XOinoaHUsnkEeSG3w7P3I1DhhuyK9qEeTz+ClZ5r4fELGD7QLibkceyJZ5cb3D3ouP5wTzZwuGndAi1jw2xz0M+6MombOd0ZQJsI8WoLtM01bOQ0mOm38xnZqpKyCD0lCZgowod9riWnEuoad+Ax0UzLcJ9cZUK1qd1qwH0dYCz7u6/Hfu2diuyj/hRO7YOXg+2hPZItvcBAJojPNpO+RkdWB2DBg6UbSExqo/cIity98wTB4LlVjnxRthzlms/kJ+NWD25DQmnrfWc0Ri9tT6rZyRFH26+bh6vHt+kKJGIWMUxO7jp1+aJ3H4/+d843jL7HcQeY1aUjRb+E5MQ4EfUkcnCy8TeoDO9DOCTNuIJmTFM8gm+no6TtgSl1a34m+IwgFgJxTosOaJ1qE8ieqm0L+4JLNxo8jY/EK8r7lEtfJC4Hn8NWLcHhl1FiGCSO4JBppv29H6Zk3+cJxeEA0Q3ZfJRpC4/9N9AXzNlM/S2QkaFL//KZgj5w94FfKxjwDsBMDCWP5wTn3T3QCrIlVlDdIHqVeHgvTTmaJABtZ33ZhxM0bb7D+mpvSHdq2udpKl75wZNUk5vaF2RY4P5+BwjPNgTieebHfF5uT14bwwDXD73h11083oc8NtHMmypDAj1rNmmkYUAH79CYZgpc5Vs2gJZCSJv3BU+aZ0fQJ1HNbvag9orpcDzwU9prc7E5amk1waITF/6gGgzrGywentE6njDeX4K+Ij4qmKy50WQHaRdx5IaN2j31VRq72kd6PeHBcF8eB6g/wiEsIcFOD7cySBgGyUo6d4frxpoH5+3dJOXQg0Bveyt/VEx/CG62Qu/LPgVWav+Vypz4nRo4FkNVP+VTVQ2BaGkSjKRu0gQf8fPKSF4mlSwRFLN/5P7vmWaXgEnOKNiLc/ikyiPZmcW3F5DVxGie1tUbggKkh5bfXl9O6N6v/vv3jrcejQm0W0T9F+uO/OPcpmN6n/CvayebepRa4Mh+OgqFqv/620DF3wAMlmVRfYWqjWr+IYafwJYnNH5j258RWYvnDs6QoYj0EMAdEw4w/LScrMfnKL8UAZdaeQeeHQtb2kWvueosv4ihoNMOID5XMQ4Mvrm6rFX2QEfbzgsiMNfKWJoske1XjeDBbYy0ERoA81fj5U0KHMD9ImpYsPNg3bc48kII9nEiQsA/c0OOAHpCntmZOcG4g1n/OVzT4YcrwSGaUenD52Stn1rKj6L7jxf9CExVySTHaioAlU7QYJ+oDO3oUJ/MBCNxbvP3ygXKvFeA304gOr5FCtzkvEU0UH5NcJlaIayz9G7WIphNlIkbRnR7bvqovl9wuwsCPaZIJli/PhJ8uUTpwYgh4xa7nVaUqGUgJ7uGDIRjTOga0BecLIVf4+tvwpgF/8u0bgRm4G3AG1P2fQU2HJpHbEhirIWZN7PJCd4SxaxdNa4wlR10z5wZn', 'V+gHYCw04UvHP+ivMXxCxQyiJ9i5aViUun2mQEhhYE2X8hSIDGtk4JvmgEbVgWo7tV3diN0rFebd55gk', 'release', '1795410965400', NULL, NULL);
INSERT INTO "user_tokens" ("id", "user_id", "name", "digest", "client_id", "grant_id", "scope", "metadata", "revoked_at", "created_at", "expires_at") VALUES ('45d0de43-f510-41fe-b773-4cdb14e18fd9', '18089af7-81b1-4914-803f-a42e28d86f9d', 'backup', 'LDXhrtOqviCt36kiF7Eaq5C6gQG0w3utw7eI9bbpjzI', NULL, NULL, NULL, '{"for":"nights"}', NULL, '1795410965628', NULL);
INSERT INTO "users" ("id", "username", "full_name", "email", "email_verified", "password_hash", "basic_auth_enabled", "blocked_at", "created_at", "updated_at", "email_verified_by") VALUES ('18089af7-81b1-4914-803f-a42e28d86f9d', 'alice', 'Alice', 'alice@corp.example', false, '$argon2id$v=19$m=19456,t=2,p=1$0u4haCgbrCRvadavWiaGaw$bCcC6nUsi98Yh0cQnI0qFCjoQglcdL5oMnBdayBuVX8', false, NULL, '1795410965077', '1795410965077', NULL);
INSERT INTO "webhooks" ("id", "url", "description", "events", "secret", "previous_secret", "previous_secret_expires_at", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at") VALUES ('ddfa0870-9b8d-47d7-9c4f-bdd7e128cff8', 'https://receiver.example/hook', NULL, '["identity.linked"]', '2wJ0nIO+3bATITQxarRfDwYcFeEum3cgeO3VMBd8y6ZSEgU052CrmAG7xb6A8V/vB3gmyqUpOZdpu/ueiOs+ycEFoMcse+Wi3xeuX/xeikzJZA==', NULL, NULL, 'ZeFL8u+BS/xO6O+R1yNMW8648z7yu51WqjXqkIZDf9lDvZkPY7Ae0mTsWzQPlBr64KPOzC9DNTCCs1mZ', 'release', '1795410965676', '1795410965676', '1795410965676');
