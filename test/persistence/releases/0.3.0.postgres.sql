CREATE SEQUENCE "migrations_id_seq" AS integer;
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
CREATE INDEX audit_events_at ON public.audit_events USING btree (at);
CREATE INDEX audit_events_user_id ON public.audit_events USING btree (user_id, at);
CREATE INDEX client_secrets_client_id ON public.client_secrets USING btree (client_id);
CREATE INDEX grants_user_id ON public.grants USING btree (user_id);
CREATE INDEX linked_accounts_provider_status ON public.linked_accounts USING btree (identity_provider, status) WHERE (unlinked_at IS NULL);
CREATE UNIQUE INDEX linked_accounts_subject_unique ON public.linked_accounts USING btree (identity_provider, subject) WHERE (unlinked_at IS NULL);
CREATE INDEX linked_accounts_user_id ON public.linked_accounts USING btree (user_id, identity_provider);
CREATE INDEX outbox_messages_next_attempt_at ON public.outbox_messages USING btree (next_attempt_at);
CREATE INDEX outbox_messages_subject_id ON public.outbox_messages USING btree (kind, subject_id);
CREATE UNIQUE INDEX sessions_cookie_digest_unique ON public.sessions USING btree (cookie_digest);
CREATE UNIQUE INDEX signing_keys_one_current ON public.signing_keys USING btree (algorithm) WHERE ((status)::text = 'current'::text);
CREATE UNIQUE INDEX user_tokens_digest_unique ON public.user_tokens USING btree (digest);
CREATE UNIQUE INDEX user_tokens_name_unique ON public.user_tokens USING btree (user_id, name);
CREATE UNIQUE INDEX users_username_unique ON public.users USING btree (username);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('user:alice', 'user', 'alice', 'release:GS1D6EXyc-nh4-pA-AwJ4TOLCUl2THrMyqgLMBIktHM', '1795392977155', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:app', 'client', 'app', 'release:O6AIS903Ix1xA_6GsfRBwt1256AB_i7aU-qY-YBjORM', '1795392977190', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:swagger-ui', 'client', 'swagger-ui', 'release:_n1CM_ptXOCrGPLMYyceRzh81vrx1E1VEYPw4y9eHwg', '1795392977260', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('identity-provider:corp', 'identity-provider', 'corp', 'release:Z71qKM7ymKPSxY7rr6S2-7qKB_tzteSAtM_OWILfPGc', '1795392977265', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('identity-provider:legacy', 'identity-provider', 'legacy', 'release:AcjJUBlD_K70uUZKoidY2-k8ssRuYlgeVD-UjuFnSqM', '1795392977267', NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('7f72bf8c-7f44-40cb-b9f9-ee343afe4447', '1795392977420', 'identity.linked', 'success', '8dbe9f05-03c4-4a51-858b-b3141617fae6', NULL, 'corp', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('85815618-1a88-4881-9115-29db8f5df970', '1795392977429', 'identity.linked', 'success', '8dbe9f05-03c4-4a51-858b-b3141617fae6', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('85457c54-2529-41bc-aa4a-459e7cd370de', '1795392977436', 'identity.linked', 'success', 'bob', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('e2de0cbe-0a9a-462e-b25b-4bd988b93ca9', '1795392977446', 'identity.unlinked', 'success', 'bob', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('fdb0faac-bfca-417c-8293-6cbc51c49096', '1795392977455', 'user-token.created', 'success', '8dbe9f05-03c4-4a51-858b-b3141617fae6', NULL, NULL, 'named', NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('ef6a969d-8cf5-44a1-8504-2cb8616c02f7', '1795392977469', 'webhook.created', 'success', NULL, NULL, NULL, '21a105d3-54fc-4a02-9a7b-c44a2b8640ed', NULL, NULL, NULL);
INSERT INTO "authorization_codes" ("digest", "grant_id", "client_id", "redirect_uri", "code_challenge", "nonce", "created_at", "expires_at", "consumed_at") VALUES ('2zVDSOrB3eKJx_xyVS5MglZI7-V79O8x__vJiY9qXZI', 'ac5d17d6-42b4-4ac4-8ba4-ef36569e2a83', 'app', 'https://app.example/callback', NULL, 'a nonce', '1795392977457', '1795393037457', NULL);
INSERT INTO "client_secrets" ("id", "client_id", "verifier", "created_at", "expires_at") VALUES ('4157ce75-ce0a-44d4-9398-e1ceb1da1eb8', 'app', '$argon2id$v=19$m=19456,t=2,p=1$grTiu0I8Im54zGBPfrfvlw$ja6CetXkCtoeloDs/WPDtgVEmCsO1EkJ4L1CF/7GKTw', '1795392977255', NULL);
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at") VALUES ('app', 'An application', 'client_secret_basic', '["authorization_code"]', '["https://app.example/callback"]', 'openid email federated-identity:token', '["corp"]', true, 'explicit', true, 'RS256', NULL, '1795392977255', '1795392977255');
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at") VALUES ('swagger-ui', 'API documentation', 'none', '["authorization_code"]', '["http://localhost:3000/docs/oauth2-redirect.html"]', 'openid profile email federated-identity:token user:federated-identity:set user:federated-identity:delete onezone:tokens', '[]', false, 'explicit', true, 'RS256', NULL, '1795392977261', '1795392977261');
INSERT INTO "grants" ("id", "user_id", "client_id", "scope", "session_id", "auth_time", "claims", "created_at", "revoked_at", "revoked_reason") VALUES ('ac5d17d6-42b4-4ac4-8ba4-ef36569e2a83', '8dbe9f05-03c4-4a51-858b-b3141617fae6', 'app', 'openid email', NULL, '1795392977457', '{"name":"Alice"}', '1795392977457', NULL, NULL);
INSERT INTO "identity_providers" ("id", "type", "display_name", "issuer", "client_id", "client_secret", "token_endpoint_auth_method", "scope", "offline_access", "sign_up", "authorization_parameters", "version", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at", "options", "private_key") VALUES ('corp', 'oidc', 'Corp', 'https://corp.example', 'symbolon', 'dw9DUrhn1i1bKoX6ONnq15Q0/ubphf7ht7bAO6FSSnB7Mkkbb+bT4/V20HkfOd8l1kckUTvzsVUBfNms1pp74m77CGY4dNs4FxZl', 'client_secret_basic', 'openid profile email offline_access', true, '["corp.example"]', '{"prompt":"consent"}', '004e9d3d-4167-4cc9-bf1f-15defb250447', 'SPhAV6RUmQ9Nz6maHa2k5FMXR5gT9jKPhttp5VY6FXOPwtbGlsDnHvXaHvfBRZBznoFyipUDQYlc7XaQ', 'release', NULL, '1795392977265', '1795392977265', '{"endpoints":{},"claims":{},"tenants":[],"trustVerifiedEmail":false,"retention":{},"responseMode":"query","clientAssertionAudience":"issuer"}', NULL);
INSERT INTO "identity_providers" ("id", "type", "display_name", "issuer", "client_id", "client_secret", "token_endpoint_auth_method", "scope", "offline_access", "sign_up", "authorization_parameters", "version", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at", "options", "private_key") VALUES ('legacy', 'oauth2', 'legacy', 'https://legacy.example', 'symbolon', 'TKKJ9Q92AyoLI3PPPbX1fDprexwSJRZp/30qPtGcluNBIBq4ga4U01+MGP1wpQeGsrroCS2jO0bP9+LZj8JlMPEzI/Plr1BC7lJ23E+k86fQ6Q==', 'client_secret_basic', '', true, 'false', '{}', '174afbe7-b525-4222-851f-30575f2f83b1', '2gCPG0Gk8p0EpFhToN2DMiziYXLRB9SdSUmCWu3XfGTuQ2o73PI3TwxHX1wGKMuc7T735b9Vnq5u2GHy', 'release', NULL, '1795392977267', '1795392977267', '{"endpoints":{"authorization":"https://legacy.example/authorize","token":"https://legacy.example/token","userinfo":"https://legacy.example/me","revocation":"https://legacy.example/revoke"},"claims":{"sub":"user.id"},"tenants":[],"trustVerifiedEmail":false,"accessTokenLifetime":"none","retention":{},"responseMode":"query","clientAssertionAudience":"issuer"}', NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('rewrap', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('retention', '1795392977396', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "jobs" ("name", "next_run_at", "lease_owner", "lease_expires_at", "started_at", "ended_at", "outcome") VALUES ('keep-alive', '1795392977396', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at", "refresh_token_expires_at", "refresh_token_used_at", "authorized_at", "read_at") VALUES ('a097c13c-87ce-4f03-bb99-446f4c067817', '8dbe9f05-03c4-4a51-858b-b3141617fae6', 'corp', 'https://corp.example', 'alice-at-corp', 'symbolon', '{"sub":"alice-at-corp","name":"Alice"}', 'active', NULL, 1, NULL, NULL, NULL, 'Bearer', 'openid email offline_access', 'TduX6u8jkha1EozX0hAI/c+qKbafH2sqY5XgRzXSZoEgRTR9B74RD6H9ZiIHnks9JNzQzRSyMWjmNeGkRhJ0lTB9xo96eUfKr4s=', '4kgeJ4D0UEpI1L7Zb1E1kJ1w8Lveqc5RaQVIhgfk87FDP8KO+6aaZRsC14scPQy2qT7vKm5nLErc/nl/stRkDFoS3h9tHnep5HCT', NULL, true, '1795396577411', '1795392977411', NULL, NULL, '9kIqt8L16a5yV0GOJMg+0huwL+POFTdTzAhx1+783xsBU4CGdRfQ6UcmVMEoSc8S+EPZDmODTwCs0mJx', 'release', '1795392977413', '1795392977417', NULL, '1795392977419', NULL, NULL, 0, NULL, NULL, '1795392977411', '1795392977416', NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at", "refresh_token_expires_at", "refresh_token_used_at", "authorized_at", "read_at") VALUES ('6b811a4c-bf31-4d71-b536-f9fdacca5147', '8dbe9f05-03c4-4a51-858b-b3141617fae6', 'legacy', 'https://legacy.example', '17', 'symbolon', '{"sub":"17"}', 'active', NULL, 1, NULL, NULL, NULL, 'Bearer', '', '6U1onkOheOhs2thyywJvxfYx2rmh9epuSEWcwlyCgrkG3s/UX1vIz4nUrKd7kigQtKd7w6HbUR2JEaPDZQNsUHXMknsQ71IbnOO7WqrYoydpRUaW', NULL, NULL, true, NULL, '1795392977422', NULL, NULL, 'o9zd9KmSCdqilGAPuhJ6chXdmf1Hi4Hh4GEjFm1/LegzbAFrjXR3i5QSbzD4pZldDy5QAy4dT2rFb9ab', 'release', '1795392977424', '1795392977426', NULL, '1795392977428', '1795392977428', 'a session', 0, NULL, NULL, NULL, '1795392977425', NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at", "refresh_token_expires_at", "refresh_token_used_at", "authorized_at", "read_at") VALUES ('8c4f52ab-16d9-4074-9ca9-16b8d39ce978', 'bob', 'legacy', 'https://legacy.example', 'bob', 'symbolon', '{}', 'sign-in-only', NULL, 2, NULL, NULL, NULL, 'Bearer', NULL, NULL, NULL, NULL, true, NULL, '1795392977430', NULL, NULL, NULL, NULL, '1795392977431', '1795392977444', NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, '1795392977433', NULL);
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (1, '1763800000000', 'Initial1763800000000');
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (2, '1764000000000', 'ProvidersAndLinking1764000000000');
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (3, '1764100000000', 'EventsAndJobs1764100000000');
ALTER SEQUENCE migrations_id_seq OWNED BY migrations.id; SELECT setval('migrations_id_seq', (SELECT max(id) FROM migrations));
INSERT INTO "outbox_messages" ("id", "kind", "subject_id", "payload", "data_key", "encryption_key_id", "attempts", "next_attempt_at", "lease_owner", "outcome", "last_error", "created_at", "expires_at", "topic") VALUES ('c115c00a-d945-4995-93c8-a7077c9b3b71', 'upstream-revocation', '8c4f52ab-16d9-4074-9ca9-16b8d39ce978', 'RJCk1A7ozo6PyuT+72YbZ5JLVdCfzYjpBCbkXUs9eIYPrX73FWrV0GbZFFKVmoQN1qSWQZ7yAAn5EH8NKpiy3TfCb1EMHPflLO0aMab0nODdJeKGKSfXhrVzDbtQ/SONDBhCh2b8hTYmGZIO86jw5v5DZkHwHNaCE8mN+QJ2TVFB4uX/6CKheXFpx6MwJR3OA4xRARWCNJ1XsAIhmdiMAkGp3AToQPac28JCejpfJDAf8R+kq4vqm8LhEvcZ1dAoHlGFAstd1NC50DDSjKvFLbRxqOwdwmFoXEfslY0d8jO/', 'h9o73rybvoiGYnEmSFORg/uPz36RAF8s1hZVbtc7MGbemZJn/HaL0/J+6Da8nt0BlSltwwjYsYrhRgqf', 'release', 1, '1795392984573', NULL, NULL, 'unavailable', '1795392977445', '1795652177445', NULL);
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at") VALUES ('LDTtmj6vH3Q7c0pv22QFhSaS0TH9CLKTJw7oIfomdDQ', 'ES256', 'current', '{"kty":"EC","x":"W1BC_k-PAUnkKoDJELmspaqTTvc95QX8NTF65xnWnio","y":"J-qRLysz3U_BFhtN_FfXMApMUCOAj0nlhi8sd8RT4sI","crv":"P-256","kid":"LDTtmj6vH3Q7c0pv22QFhSaS0TH9CLKTJw7oIfomdDQ","alg":"ES256","use":"sig"}', 'L+gd3ZDE141kTtUpNroERUSNQ1PcOCMAY8C9nrsre/dOJ19ehKpBSQX4Ph0X3FsUxrnv+QsdstLsyRx51uaOR/gdcnaEw1QYxxSt/fWlM3uX+JTBp+TvbeG4U6RvZgHSzoXCLhjFZIprf878mIlVeHPh1zkqqg4H7RqZKfTUlZY+wldgDXTUrJqkUym8GeuUU9r5bXMZ/7PlwtCnNG+o0Gxr0Lo4ETyacxAEUGTUU18f0IVwK+hxXQGkdH069OhCWnlA6+ZVznMjBdityDcV1xh6dVQ5zwMnlSo2n+Em9Vlw6cSgNWkjpaGKV2s1bnmGkL0kb/BtnTIcLndQP+LGpY6XRau8sSu8ZH3qCw==', 'Z8Y2vh+GBEQ5llYOp4EGzTewKgpvCqgqmLQgT/kpX1DkFYC0rjYDk/lbfPXyYThpcXTFlz2PKTHwgq0w', 'release', '1795392977271', NULL);
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at") VALUES ('eRoEbWnZAnDMhPxJWEI-ekEczEMNjgoggMI7M3WPmo4', 'RS256', 'current', '{"kty":"RSA","n":"mb70_rlK95ZpPC2JvJb2HFkkJnygWAI9nrGiIOjpy8pIYnV6gZ-MiiD2TdqXwEeSCwCex2s-ijysAKeCmIATE-S9_UmQhEgfQtZ6xZJ2y9WkW1OS7-P-besblpmSeeWtI7xVMHltGmG6xU8rpbE-TMJPptQbkM8yhZ5jc-lpKQL4MD4CKtR-qScWGU2EhIaySGSQTOphH06SK8eTdSNZtWYw_7NY-lxm9g17xIldc4_q2n-52JRwtGnQd1EmzDeDK-SJ5-PvtFTol6DfThA-rCzldFxFEebibRPEBzayV8KLBzbBcIyVHuQNO8X8oqi8yPv0wH-8WxVKkt4UiLL-dw","e":"AQAB","kid":"eRoEbWnZAnDMhPxJWEI-ekEczEMNjgoggMI7M3WPmo4","alg":"RS256","use":"sig"}', '8EjSbfRn3JuAxJ+VLBy7diftn0bm3d7kL0D5pu2A3G53M3gKqVdqrN2CYfkDoDQwq/lJ+j9nsgKRNxUxCEIFaGM5IvqpyEiU7FBOD4a2nEZPcLeFOQIZjA49o43qYVp4ld+vcaAulA1Or9+AULNMlMllm935oExIL61EInYd78mVJnNQgiGUX5Hk5NtXPSzfx0obAeNVu8T13FxNX28zokad6CYp/aiKu/1pQcxfnOybZ79icX0/0GCEVWhXe/erwQBAr1mJGT7fRcEQlF7fty4NRi7lam+vRyianz3q600oSUZL4sMfOL1srv7VAsD3d9M8cLlSN9B8ekJZOaPYBT7o2Icbb215VuI/BxgTRz41wglAW1nptWRu8WxblaDSr19YuxCXQo6wfICSqNoVWv4it3LhVeaXF9fgo6o2gQqAOtphWAL2Y7FT73+kqu62qFHc3f31urXDosNGxGaP0CGK432DRddj6aP8lu57+u4vOZEjAmyXiPxwSG5m5/RGEcMlSOCZ5HuZAhIHPK+a4zk/LWtmRsokKoXsjPY9z7A2hnZOqIaKAGM7+4FlLT1bBg1iSvWMmf7bAMnD/4C0N+fGOIq29DSSLwXa/d9E2hh0IYW3ued4tQDZ+nAEfWSvd5a8Jwm/6/Ekjot4lACWDyZy/Znz7BUEz8o/MLmvgAyOACca9C74gGAAyx2T3Y10SvipEYbgmCwR3SwIVOpkgJRYUJRGzGuIAgLSYQZfRJ8yLhnw+u3wwB+tjmWVXoKyp5VIc48Uv4Unk3mmHxDxt9BIIalsB1Iuwy0KbKpgXQDBAFo1/RGlEBld0Y31KGTcdWm1TdWH+1tktwXYhqkkNLNwtpMJ5UQA8aIDq+/ArRO6y4woKPQF1S1YPM1qMHLxA2bPw5yMrmp0RZXX23QIhJH9yo2/50l785iCHboWQYrfaFcrxpmjKZtR5ezAaSBUEJ6EcncgG2bk0VuD4cqq1nPpdTUUa29OM4tMmkArJOU132EAB0GLuuUn7NqvjST8XEIPz25LvYcIHljLSvEo/2M9+k12Sl6RKVjMxDp7q37mklFSg/LyreFT3xO5mTdvGY6ZHRS3d7Z42aLDj2GDPJuNnWnaCgBoiIEJXd2V7ZSkSYWrutXG7OwY3vb18dXaBdRaLp7kYGOFixuZ2cVv4ps+1/WFpGFM/XWTcsPtorZuO3ZR9ZO7Ol7rq2EUUGXp+v4MjSx+UjU9TAMkrJWbW5sRAKgKsWDywPw79nEWItd4VZqZvoW7FJZOQXjqIwVmGfYf+wnw0dl+3t/4OPwhCiQtwkwFQi/Kk1TlHSiXhDgw5KDLwj/tRA1Z8S50I8QlPEHk/Hp+pmhtdx6K1kSgOpU8JJBF1q3JZm4/y353xAeG51cbw1PzQtayF7rxFQ5Wa32VE+DtrEfXSQAfNzS5/cpO6gyW+aPklQ4+kkY+m7NnBuyfoVVJnE+uDEgCg4DaysqScD1GrXOZNLC5CPntHcxw7EclRMVpfiMgYnJtmGkQBY7kceCMKgzfdeyBULD9YkeRs3anRwtxi/Z8gpCfdzK8+MbJJEDKSZ1aIy0K0La6LfdxdYN+Zwkw1NoFNkEN/P+dZ1eG0rIUgoJrVjFkUkJ3yofmFy07wLcQkCVZrieX/oOQnHUWPpil31USmyZ+02vOob4HDcBHC1Vw8hGcl8GuokBuz7VYNMdNkyDSRPOJ0jEi1cTopvOTt+E36pyFDrdsWPOFQVETKTUhLFsLjohJj0VFhXa25FfW4v5EKhmOJ7JIkZV9TmnHQWqPxGsuIxRU5KxpIq9WZwNZRSGDGZzZ5a4COORzICpx4ZsGEAXuliW4LLpjnmc+4UMyZnqY4ZHDS2J98XxxhkOjE8zXv6ZLGon/rh9nZMLhSPICoX+cQhUwrXA2S1n/EWZm4mhjn56z7KnJ51f+MZVXS1/BJnULpnAhgUhSulMixqT8gVNEElmje3u5qf1341Kch0W9VtYxiWhehVXdNGQ2CDE1WKX7W0UjcAnCVHeJJa2seRlSwV48xvASlUBTaDfscqg1d0/olZR9yCOdmX2Mp4lH82yPdQCDWC9EWtCQmna+LjSKfVlm13++SX5+/W8ZB4/3bXGX2uI+raI8fNY1wlgu3XMJTTTLHbNOPJkzjm+8KUUXQeHzKTxyMjK1wYpmaafYfF+GOMyEA2X2scCYg6ZV/c24dN1RvvpUBgjQq0Cjhv4HHkI5K3vL9fBIRRvH88xyMkPbaSPX6S+kF+zsmBNOq4XulysLrIVZSB9o1LuSyuG+uGF2bMw5q0w6/Mfjf6g6rlan', '9kWQgk0iL1657ycWKW+q+Zh3rDisd5KFmNXgp4Vx/ncdbx5euKWIEFuW2Eu10ibdHfQDpK7P6TTsiWBa', 'release', '1795392977392', NULL);
INSERT INTO "user_tokens" ("id", "user_id", "name", "digest", "client_id", "grant_id", "scope", "metadata", "revoked_at", "created_at", "expires_at") VALUES ('2d83c49e-dbc7-4289-86ce-f5660b10d048', '8dbe9f05-03c4-4a51-858b-b3141617fae6', 'backup', 'X8uSkqmeb9w_1_mF--bt9JJTRu0xTKtMn3iwf9VSHQc', NULL, NULL, NULL, '{"for":"nights"}', NULL, '1795392977449', NULL);
INSERT INTO "users" ("id", "username", "full_name", "email", "email_verified", "password_hash", "basic_auth_enabled", "blocked_at", "created_at", "updated_at", "email_verified_by") VALUES ('8dbe9f05-03c4-4a51-858b-b3141617fae6', 'alice', 'Alice', 'alice@corp.example', false, '$argon2id$v=19$m=19456,t=2,p=1$PkQt66CyexP05Y2FbFvqLw$1AjocLyCLdQoL7QbYz6OaVCW3U01QABI4zp08D7wUhs', false, NULL, '1795392977185', '1795392977185', NULL);
INSERT INTO "webhooks" ("id", "url", "description", "events", "secret", "previous_secret", "previous_secret_expires_at", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at") VALUES ('21a105d3-54fc-4a02-9a7b-c44a2b8640ed', 'https://receiver.example/hook', NULL, '["identity.linked"]', 'ZHgCZslFNkzVmyud53uMwr6ADlHj4Ssoa25VyFn1dzUy5qIZiEJ7+q4m2tFACyy0w6zR7G1Zad3X9j/bljzMFXU1ywFIbOMx56R0wBMkPfSE+w==', NULL, NULL, 'XwePvr7wPogIr6QRVL/q7ceDrM7OvJ3zWuT8wpxiQve4SHzlixqMk1uAuMFVlwyjWpHFJPLZIxfx+rCC', 'release', '1795392977468', '1795392977468', '1795392977468');
