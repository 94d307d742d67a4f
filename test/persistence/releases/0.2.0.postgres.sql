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
CREATE INDEX audit_events_at ON public.audit_events USING btree (at);
CREATE INDEX audit_events_user_id ON public.audit_events USING btree (user_id, at);
CREATE INDEX client_secrets_client_id ON public.client_secrets USING btree (client_id);
CREATE INDEX grants_user_id ON public.grants USING btree (user_id);
CREATE UNIQUE INDEX linked_accounts_subject_unique ON public.linked_accounts USING btree (identity_provider, subject) WHERE (unlinked_at IS NULL);
CREATE INDEX linked_accounts_user_id ON public.linked_accounts USING btree (user_id, identity_provider);
CREATE INDEX outbox_messages_next_attempt_at ON public.outbox_messages USING btree (next_attempt_at);
CREATE INDEX outbox_messages_subject_id ON public.outbox_messages USING btree (kind, subject_id);
CREATE UNIQUE INDEX sessions_cookie_digest_unique ON public.sessions USING btree (cookie_digest);
CREATE UNIQUE INDEX signing_keys_one_current ON public.signing_keys USING btree (algorithm) WHERE ((status)::text = 'current'::text);
CREATE UNIQUE INDEX user_tokens_digest_unique ON public.user_tokens USING btree (digest);
CREATE UNIQUE INDEX user_tokens_name_unique ON public.user_tokens USING btree (user_id, name);
CREATE UNIQUE INDEX users_username_unique ON public.users USING btree (username);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('user:alice', 'user', 'alice', 'release:GS1D6EXyc-nh4-pA-AwJ4TOLCUl2THrMyqgLMBIktHM', '1795381414883', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:app', 'client', 'app', 'release:O6AIS903Ix1xA_6GsfRBwt1256AB_i7aU-qY-YBjORM', '1795381414937', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:swagger-ui', 'client', 'swagger-ui', 'release:_n1CM_ptXOCrGPLMYyceRzh81vrx1E1VEYPw4y9eHwg', '1795381414956', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('identity-provider:corp', 'identity-provider', 'corp', 'release:Z71qKM7ymKPSxY7rr6S2-7qKB_tzteSAtM_OWILfPGc', '1795381414960', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('identity-provider:legacy', 'identity-provider', 'legacy', 'release:AcjJUBlD_K70uUZKoidY2-k8ssRuYlgeVD-UjuFnSqM', '1795381414962', NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('edafc382-1e01-4f1c-8a81-7ede6751f17c', '1795381415169', 'identity.linked', 'success', '30d23332-c34b-4f1c-a3eb-7dd7c0477318', NULL, 'corp', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('64289c84-e715-4c5c-8697-5a7a12ab5bbb', '1795381415183', 'identity.linked', 'success', '30d23332-c34b-4f1c-a3eb-7dd7c0477318', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('c97fc070-2107-4c1f-bd9f-523c024c2b85', '1795381415198', 'identity.linked', 'success', 'bob', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('83047d8f-3461-44ed-a078-b8827019f95e', '1795381415207', 'identity.unlinked', 'success', 'bob', NULL, 'legacy', NULL, NULL, NULL, NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address", "actor") VALUES ('6d1eeed2-361a-4af7-828d-c32ad35e2b05', '1795381415214', 'user-token.created', 'success', '30d23332-c34b-4f1c-a3eb-7dd7c0477318', NULL, NULL, 'named', NULL, NULL, NULL);
INSERT INTO "authorization_codes" ("digest", "grant_id", "client_id", "redirect_uri", "code_challenge", "nonce", "created_at", "expires_at", "consumed_at") VALUES ('g2lMyyuO5WNo5NuatRERdkG5LO92oalrjl2nq0of6IY', 'cfafffef-c523-4468-954d-cdc9f365793a', 'app', 'https://app.example/callback', NULL, 'a nonce', '1795381415221', '1795381475221', NULL);
INSERT INTO "client_secrets" ("id", "client_id", "verifier", "created_at", "expires_at") VALUES ('b7cdffa7-0983-45e2-8dbb-5eebdb402b74', 'app', '$argon2id$v=19$m=19456,t=2,p=1$ZZQChRhTKWAdRz8ybQXNXQ$RCNWzeUw1utNZF++rOmeq4mnRYh5ZXxDb0bdVBvIvJw', '1795381414951', NULL);
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at") VALUES ('app', 'An application', 'client_secret_basic', '["authorization_code"]', '["https://app.example/callback"]', 'openid email federated-identity:token', '["corp"]', true, 'explicit', true, 'RS256', NULL, '1795381414951', '1795381414951');
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at") VALUES ('swagger-ui', 'API documentation', 'none', '["authorization_code"]', '["http://localhost:3000/docs/oauth2-redirect.html"]', 'openid profile email federated-identity:token user:federated-identity:set user:federated-identity:delete onezone:tokens', '[]', false, 'explicit', true, 'RS256', NULL, '1795381414958', '1795381414958');
INSERT INTO "grants" ("id", "user_id", "client_id", "scope", "session_id", "auth_time", "claims", "created_at", "revoked_at", "revoked_reason") VALUES ('cfafffef-c523-4468-954d-cdc9f365793a', '30d23332-c34b-4f1c-a3eb-7dd7c0477318', 'app', 'openid email', NULL, '1795381415220', '{"name":"Alice"}', '1795381415221', NULL, NULL);
INSERT INTO "identity_providers" ("id", "type", "display_name", "issuer", "client_id", "client_secret", "token_endpoint_auth_method", "scope", "offline_access", "sign_up", "authorization_parameters", "version", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at", "options", "private_key") VALUES ('corp', 'oidc', 'Corp', 'https://corp.example', 'symbolon', '+rTPLIeUebUHbSrQKWbFk62c+QhWmI4iwO8P8BVjT2TtnI09eY1rvUR5SpcyZq9TWHRSujjlnQfQOtnqMyswLBXxlrR+COP4VfDB', 'client_secret_basic', 'openid profile email offline_access', true, '["corp.example"]', '{"prompt":"consent"}', 'e539918f-29f4-4e88-aeb4-4051f1c24157', 'kKksuPo1DrlTKyjLUKj+N2zgdhuflB0YHGxZgiiBA4vrPMxjlT+bnBTmwD2KSB+dTKw7McUbeP8OR5u8', 'release', NULL, '1795381414961', '1795381414961', '{"endpoints":{},"claims":{},"tenants":[],"trustVerifiedEmail":false,"responseMode":"query","clientAssertionAudience":"issuer"}', NULL);
INSERT INTO "identity_providers" ("id", "type", "display_name", "issuer", "client_id", "client_secret", "token_endpoint_auth_method", "scope", "offline_access", "sign_up", "authorization_parameters", "version", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at", "options", "private_key") VALUES ('legacy', 'oauth2', 'legacy', 'https://legacy.example', 'symbolon', 'Z77/oQK4Xdxyapfszlo0DHKZsdB+VGDqrjV1/yREVfNsf89valHrqLmaobqjO+CqtzicoyLxKxrMpzAROxtpxEGbYpFfiU4Qj556IWxD/WpBew==', 'client_secret_basic', '', true, 'false', '{}', '2a66247c-46bf-41e1-93e8-ee3da9a1ea65', 'gfSyd9Y2lUYmhKc0LAloTX9AfkkB2XczXqvKTPx2AhAW6BlnbnFKaiL7rByKP0XMcTFDbGPgEKZu2CmA', 'release', NULL, '1795381414963', '1795381414963', '{"endpoints":{"authorization":"https://legacy.example/authorize","token":"https://legacy.example/token","userinfo":"https://legacy.example/me","revocation":"https://legacy.example/revoke"},"claims":{"sub":"user.id"},"tenants":[],"trustVerifiedEmail":false,"accessTokenLifetime":"none","responseMode":"query","clientAssertionAudience":"issuer"}', NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at") VALUES ('3cb2a590-9bd7-44f7-ae20-23363b432ca8', '30d23332-c34b-4f1c-a3eb-7dd7c0477318', 'corp', 'https://corp.example', 'alice-at-corp', 'symbolon', '{"sub":"alice-at-corp","name":"Alice"}', 'active', NULL, 1, NULL, NULL, NULL, 'Bearer', 'openid email offline_access', 'PYmjdK9dIZbxd8GdvR9B4Ow3FUqt+GCjasx3ADKSvo8aeUcbhz4/5Ut35y/UVrG2iZMSEM3eUq/EQneMhCCl7jw1OI8dRtH58Ug=', 'vyYRPPYLQPuG/mhlOWFfZ/hMtMguKM/iVpBPX5QioeO59coEBlrqkGqOwfunWQgp51hXgyMY2l+5SqYJKzD5dwybLghfaBir98/U', NULL, true, '1795385015159', '1795381415159', NULL, NULL, '5cKl6zwyKPccNYXSgaTmX7j2w5lKjSQ27AI15u26wgfInBgDrOd+MF3umFCYiCX8UDG5LIPGyiOvIJNp', 'release', '1795381415162', '1795381415167', NULL, '1795381415169', NULL, NULL, 0, NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at") VALUES ('2effb536-647f-4c6d-a7a0-ba0248420b78', '30d23332-c34b-4f1c-a3eb-7dd7c0477318', 'legacy', 'https://legacy.example', '17', 'symbolon', '{"sub":"17"}', 'active', NULL, 1, NULL, NULL, NULL, 'Bearer', '', 'x7I88LLeqm7T4e3P929bgXzAGTcXD/7eoxAy3gbzIPFBfDZsjrwpgUnBtFaVPTbnU1Bt3ubEwY3eNP822NGIMJ3dn1q8cYBhvH4rBxSE4cYan2E1', NULL, NULL, true, NULL, '1795381415171', NULL, NULL, 'OeME13VQbSvSLfMFdFiUVYFLqDYva/Z3J5PmuU+At9ypCZoXMR3UEUrifFh9TamOM+hj+eSUMr6hQGTY', 'release', '1795381415174', '1795381415180', NULL, '1795381415182', '1795381415182', 'a session', 0, NULL);
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at", "default_since", "linked_at", "linked_session_id", "failures", "retry_at") VALUES ('eef14bb2-45fc-4d25-b619-1be9f2ee2db1', 'bob', 'legacy', 'https://legacy.example', 'bob', 'symbolon', '{}', 'sign-in-only', NULL, 2, NULL, NULL, NULL, 'Bearer', NULL, NULL, NULL, NULL, true, NULL, '1795381415186', NULL, NULL, NULL, NULL, '1795381415188', '1795381415204', NULL, NULL, NULL, NULL, 0, NULL);
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (1, '1763800000000', 'Initial1763800000000');
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (2, '1764000000000', 'ProvidersAndLinking1764000000000');
ALTER SEQUENCE migrations_id_seq OWNED BY migrations.id; SELECT setval('migrations_id_seq', (SELECT max(id) FROM migrations));
INSERT INTO "outbox_messages" ("id", "kind", "subject_id", "payload", "data_key", "encryption_key_id", "attempts", "next_attempt_at", "lease_owner", "outcome", "last_error", "created_at", "expires_at") VALUES ('10fb92ff-399c-4eba-9102-79d2e0de57c0', 'upstream-revocation', 'eef14bb2-45fc-4d25-b619-1be9f2ee2db1', 'cmcBDfS/D1L80bCVQbYZOQTt8gbHi9HG6LPIhovObJE5Lkebq8MI1fbr3sS0NDBGeK/5OARqLzuOfpi29+qz7aHEhVC4Kq4qwQ29P4JldvHYOtFreoA1zNi0GqoYdqDgGaMyTFexgWzi1cnYA17PIN9al9vv+k6JjBRxg5vbw+v/PXRRXZk3apKfVWNpv1wMZ8eP0Exf+da23x4ywznd2ijCy3fJrX6/0/pSyrgLVbjWwSojnFtLXtcM8rhKfraaHAIP5DFeYA9Ak+97k+XctCJJBIr6/4sVCZlgY2jcLnNi', 'Q/74HnA57GiTWD+QnpKL5p5qxgTkKktVhTCxs/fAaNCw58IiFiY9bjrDCrMTgkx8bOEbIeyjxUx1PU+B', 'release', 1, '1795381422254', NULL, NULL, 'unavailable', '1795381415205', '1795640615205');
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at") VALUES ('4QlhKE_VTOEsMihGueyXaUt1FAPOrLBa9fywTGDNsFY', 'ES256', 'current', '{"kty":"EC","x":"-dBcgSbr6WHOHf0tdEs8wWDSqthEVjlCm5-FCUwxa3M","y":"XK0eoEXEOiO5HzW_HMGi0M5C22JpcHavp_0vdYYqsp8","crv":"P-256","kid":"4QlhKE_VTOEsMihGueyXaUt1FAPOrLBa9fywTGDNsFY","alg":"ES256","use":"sig"}', 'X/JDkIUJlohXSTymPDKk9705lK7bdsiXGmfXYJuuEygXRBBGKE4H2naamCj2Bk8oGn6XDJHtbBTu4eFIjz+I9ijvy2b+Ata3jQYYT/4FARXXRwCAus3YFeKdbTzMP9WeToqRMFYo8jfRLDy7MX755cPetg7qf0T6M3tMxvKPlj6G5ISkAEQkMctAsVrhCyuXy1SwiqPrT9DU6dsLhGxJksOH31iR3Ei+9Ce1Cktt7JNc9WEeSn68/qf4JrOu/QmbpZ2FnTv2RJaQWmhCb6my5EXtlgItb5HJvTUVnXoCpzSbp/zhPN4/IClekvpBwvBvLC7r5As/GgD53V5Cy/Tkk12ewUcuZ2NqTOGaGA==', 'Wxfz0T/+kvAfK65sWVNLQK5dZkmkYsx8GcDPYCTLfj71uS1iAwRi+JlH8wb+FAMAfTWLTO1wnYYM0hiK', 'release', '1795381414966', NULL);
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at") VALUES ('r6qeIw6JHDohkzKyzdEzLvTjbS49SdOPrc3ZQ8A-1vo', 'RS256', 'current', '{"kty":"RSA","n":"xE03TLHb5ctp8GvaOt8cuQ480enO_8ppZITIvrf4H3jKWlBXxgN-JWR6xHa-Q8SvBDf_Mry5zveuSRe0yMfNDU33SecF1Q0ACMeQNddGc1zWkKYNKoZoUw5AFb8m8a9yxomlQ0iF1FZNoV95mSM84f8zABp05S4xxbamIS7-gafImJACfa1BCwsWjv6FKTCBPmXJBjHgXUXby-c2Zmq9GXn_gQ-S8WjTjBUz9REsFj1ArZaeJS-KvxY_CaIz8yICPh4PUmsBR-n4Y6m_Lhkpx38IIga5htBrl2JJAgmcWgEWSN4PfsppZZIFb3J8yvA-E1rP3bfgduXzy54-F1VA6Q","e":"AQAB","kid":"r6qeIw6JHDohkzKyzdEzLvTjbS49SdOPrc3ZQ8A-1vo","alg":"RS256","use":"sig"}', 'DNA1us6weiY/ll+6l4cdgZKPMH7qEqZz/wXJv3Etrb7FlW2Nwi2DaTlfrbPr0hOnmBI8V4wk9a3jio48FusdrPHWko+8IUe2axISveBbUXBysf7C6sAudmUeWcmr7Ow8lYaiE9fqGKzq/jCHh12qEpHn6Z67MqI2b4DprZX+M9jYpOxMCJZtaQ+IQ03LYmsgZ1HFawqA3SNUnmbam7TBS8RSvvG/YQiiUxICojZD+/cLGDvJ1roTWJ1y2fCQcpKnDg1YYuo3bh7lm1lpoKYcFtBm2kErWtsTqk4eXz0FOY95RwEkeUvPqE0TXWpk1WPaNta4N3uvWPVqzPv7ARYg46vymrTfHyoWZiSWtv88R5vzkqerfz5z0RIX83LuO4jKcHnuZM0Pv+z89YZMqvIHxtwiRYAE/wMH4qohSpkasfP/5dX/eA8659G05hDhRPbiHVR+4cJcgZH4+jnwKYoCxK5nBtnTz7EQklTbEtUs6P01Go1NEsWeJXdfif44j7qZCn+S17Tmn7JG4LKRg+Eiruf7uNnUc8K7c7HVXs9/nEJHm2Et5+fVDkKC1DrRJqwfzElr2rIlynAxB0mMcdZKMOji5FMKP/ujPPIGWpROAjdKU4AyryVC6glU9ExtaSv38nvgEjTSh4/oWaJqLl618JwUyfpn7JWZU9Ad/7dHtnFnk/BVVcG+iZrBFt0AdmAwq/NbDqaRVIrSDOsgEFIvDuhiGO/YdU/+cbPE2yv+wCwDj9W/i1jTGIIuUWQiH7AmBdGr0AGPU+TDwrW7+M35No4bYfODryafnWi/yOO406xkBt95HCdJ+7v9ANhRS806AQa9n0mCuZsbzTP3lfHaAcB3Ma2N1Yx4uBfEyl/6LG1EPUFpjhXy3M3m0KtT5hGMNmb/YjY1iabWY1QTLWFrLGDIYOAiXsdwu0y/lCa5sHV8PaDH1jLlPRsh6mWi+kdifUHs9f/MW7Ch2ICZ/IxE5NPzZsj7q7Ik4umTcJIFSgC72H6bKcP5Mj8aMeWT8/FsoSbmP4ippUIi0JCIVH7hMcW2JPPxqJ8QZ2YZMtg7rYksui3eBkc4ti/34JLCqnrCi+vHimFL8gKmJNkm7nrSsrWb12GA2kfE9DxgEG75MtjqkcgL2L5DdxbTucyWv00cEqnICO47zW27HqvihsT6aQMicjUpuv7AfY+0uh3mZQdwHiO0Az2n2N++54oqr5LyELDyZBt7F9WrgHwSyjeiTFo4ldnfRcC6O3aYWIBeIV63qcfdKe5KZ6sXZIG9ixcJulLz3hN53KdT5TCLkEDdgl6lllDv4mjZR4Nl4PK8IRSqpAezEeppkVkjD6jb5sAyo/bxeXM/Patvce64hR+CNV0/AQNISWyj0cBpo3D91myxbqkVlovaAOuuD9Qpgk9l0WRZJ22hxE6HWGRyEjCJuswMJc/Z5BdRX9g0/pGBErTcC7zAQSYrcQNNsZTCcNaoauv3VuS1vTKeTa5WvIfamYaVWm0nU6jrKbvxP7+/XhrYv3KAlIQlWXLyLrmXUqHsTy2VVRUNylBJTFvRo+8pQShW5wxuIQmAorckXcpc5WcM0rlevjTMXK6BIFizLhzoKre4AdOrQ+4bmyJqi9hIRSSg0P++UfUDNXcxglgRd0LR2JOH9t904PP1Exicscf+iFnCtHJyfaYopheUIB1QBHQU0Hkm6ZLOvkw3FX37TMLfHq7cEgmzmrCxRuOhyAIgm/wjcknbLFhgtsxbvfAcAgdqkVfBTWtffCQRaipy21R1bVNZ7OEy1cF7Au44k2gu0O301z5iQSd70/ZrHsQdGMOfdx6Wzo8rOfaNKGUir2L6zueEpNPVFNSIr63n93qxTkpbxf9TFleRlzg1BJr2LDDOy5YatcB0Y938R5S03jgRJfQyF0Kn8HkRymCy/4I6D9rn/9zGRkb2E4Q4sgKOc1bmUQc6NR0ojlOFt4FOusThpOwqr8plhPdxqUDuUmpscfo9PaFNbW7Ey7RFDY7HBJeBxNyDzk8IrK3R8yuwYhIHAm5Wjjgd2tbbV2FpmK4xXPLN0xYyPn9iSvGrVEXuzb2uMV4ju0LvdxhVyiyIAmA54kRcBxOtuxeAzUb/95GZPzowpB1Nt5U1b1xpGY9luW1b9ZZMcueLmxSd1kI9LX1AQsD3kGGGzE7Wpq1KrnUsJa1E1lNhwBQfYknFmAq+ZUgPDngsqwuaSfE/rr3dnVmrFG6Lc7SBoiBN3Zpb/BF9qV/laEoyhuEZWhAh5cuaaPH8e4TJbmSohCsZfO8e1WksmD6fw8FeG8gnnRx9cqi43aOT', 'SEv9HMmi7g0XDPBQfGwElzBIkKVf6DasoPBpu5t14j5OSst1fHN8Q60TQhKwro389zGOWnCw44luwDL4', 'release', '1795381415150', NULL);
INSERT INTO "user_tokens" ("id", "user_id", "name", "digest", "client_id", "grant_id", "scope", "metadata", "revoked_at", "created_at", "expires_at") VALUES ('50287a67-ef92-4ca6-a14f-51005c7cbdfa', '30d23332-c34b-4f1c-a3eb-7dd7c0477318', 'backup', 'PaSl088TKjrcAL7tOAvntMtDUNvsa7d7qQBbexNCvGI', NULL, NULL, NULL, '{"for":"nights"}', NULL, '1795381415212', NULL);
INSERT INTO "users" ("id", "username", "full_name", "email", "email_verified", "password_hash", "basic_auth_enabled", "blocked_at", "created_at", "updated_at", "email_verified_by") VALUES ('30d23332-c34b-4f1c-a3eb-7dd7c0477318', 'alice', 'Alice', 'alice@corp.example', false, '$argon2id$v=19$m=19456,t=2,p=1$KRI3MPlNraJ6S5m+3quxkA$iUUW6F85LzOhe66ukUwbrCZgzF/UBB83yBkyNNtuLE8', false, NULL, '1795381414933', '1795381414933', NULL);
