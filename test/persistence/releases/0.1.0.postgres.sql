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
  CONSTRAINT users_pk PRIMARY KEY (id)
);
CREATE INDEX audit_events_at ON public.audit_events USING btree (at);
CREATE INDEX client_secrets_client_id ON public.client_secrets USING btree (client_id);
CREATE INDEX grants_user_id ON public.grants USING btree (user_id);
CREATE UNIQUE INDEX linked_accounts_subject_unique ON public.linked_accounts USING btree (identity_provider, subject) WHERE (unlinked_at IS NULL);
CREATE INDEX linked_accounts_user_id ON public.linked_accounts USING btree (user_id, identity_provider);
CREATE UNIQUE INDEX sessions_cookie_digest_unique ON public.sessions USING btree (cookie_digest);
CREATE UNIQUE INDEX signing_keys_one_current ON public.signing_keys USING btree (algorithm) WHERE ((status)::text = 'current'::text);
CREATE UNIQUE INDEX users_username_unique ON public.users USING btree (username);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('user:alice', 'user', 'alice', 'release:GS1D6EXyc-nh4-pA-AwJ4TOLCUl2THrMyqgLMBIktHM', '1795369788998', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:app', 'client', 'app', 'release:O6AIS903Ix1xA_6GsfRBwt1256AB_i7aU-qY-YBjORM', '1795369789029', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('client:swagger-ui', 'client', 'swagger-ui', 'release:13mtez6Cq7lVZTAbLSKevKZBZLjn1tPXcg78l-3fDrU', '1795369789124', NULL);
INSERT INTO "applied_declarations" ("id", "kind", "name", "digest", "applied_at", "removed_at") VALUES ('identity-provider:corp', 'identity-provider', 'corp', 'release:Z71qKM7ymKPSxY7rr6S2-7qKB_tzteSAtM_OWILfPGc', '1795369789129', NULL);
INSERT INTO "audit_events" ("id", "at", "event", "outcome", "user_id", "client_id", "identity_provider", "reason", "request_id", "address") VALUES ('32905d1f-a93a-4107-a049-5ce7798a89f8', '1795369789402', 'identity.linked', 'success', 'dab09d41-f6c7-4ca7-a110-38e49bb62e9a', NULL, 'corp', NULL, NULL, NULL);
INSERT INTO "authorization_codes" ("digest", "grant_id", "client_id", "redirect_uri", "code_challenge", "nonce", "created_at", "expires_at", "consumed_at") VALUES ('hwLJZ1_tAcBDL9VT1t1w9y-7WFHo8BS6oRLaN0d3arY', '0426545a-40ea-4d4c-834d-75449517ab38', 'app', 'https://app.example/callback', NULL, 'a nonce', '1795369789406', '1795369849406', NULL);
INSERT INTO "client_secrets" ("id", "client_id", "verifier", "created_at", "expires_at") VALUES ('a9a270f3-ad2d-4a1d-b09c-1c75d911e8b3', 'app', '$argon2id$v=19$m=19456,t=2,p=1$oXKd0qz8h4sS+CLRdxQN+Q$55g1du6tK+pYu3rlRK3Ac8ZwkPl971mHDZoD79ezRE4', '1795369789118', NULL);
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at") VALUES ('app', 'An application', 'client_secret_basic', '["authorization_code"]', '["https://app.example/callback"]', 'openid email federated-identity:token', '["corp"]', true, 'explicit', true, 'RS256', NULL, '1795369789118', '1795369789118');
INSERT INTO "clients" ("client_id", "client_name", "token_endpoint_auth_method", "grant_types", "redirect_uris", "scope", "upstream_providers", "upstream_refresh_token", "consent", "require_pkce", "id_token_signed_response_alg", "disabled_at", "created_at", "updated_at") VALUES ('swagger-ui', 'API documentation', 'none', '["authorization_code"]', '["http://localhost:3000/docs/oauth2-redirect.html"]', 'openid profile email federated-identity:token', '[]', false, 'explicit', true, 'RS256', NULL, '1795369789125', '1795369789125');
INSERT INTO "grants" ("id", "user_id", "client_id", "scope", "session_id", "auth_time", "claims", "created_at", "revoked_at", "revoked_reason") VALUES ('0426545a-40ea-4d4c-834d-75449517ab38', 'dab09d41-f6c7-4ca7-a110-38e49bb62e9a', 'app', 'openid email', NULL, '1795369789406', '{"name":"Alice"}', '1795369789408', NULL, NULL);
INSERT INTO "identity_providers" ("id", "type", "display_name", "issuer", "client_id", "client_secret", "token_endpoint_auth_method", "scope", "offline_access", "sign_up", "authorization_parameters", "version", "data_key", "encryption_key_id", "disabled_at", "created_at", "updated_at") VALUES ('corp', 'oidc', 'Corp', 'https://corp.example', 'symbolon', '8y58Pe0X9i0OsSKVCwcu0Deb6aYPnCwjiQrVBvucBHujP6x99G/jNjT9cqKLqgeZuX+bukYFG0B0lpfr0XIAhpAKbBj8LF447FSu', 'client_secret_basic', 'openid profile email offline_access', true, '["corp.example"]', '{"prompt":"consent"}', '684cc8d4-c6f5-4de5-a3fc-57bd3e4d56b2', 'WRYL6Ej/yglYIvdBm7eUh2qi9IRmFAAW+sxqyfhq0a2+KnT7j7Q80njjeUgtWUinLpVbm7ah80d3Xj76', 'release', NULL, '1795369789130', '1795369789130');
INSERT INTO "linked_accounts" ("id", "user_id", "identity_provider", "issuer", "subject", "upstream_client_id", "claims", "status", "reason", "generation", "lease_owner", "lease_expires_at", "refresh_intent_at", "token_type", "scope", "access_token", "refresh_token", "id_token", "verified", "expires_at", "obtained_at", "refreshed_at", "last_error", "data_key", "encryption_key_id", "created_at", "updated_at", "unlinked_at") VALUES ('7b6563a2-9d34-4f47-b5d3-91230183cc51', 'dab09d41-f6c7-4ca7-a110-38e49bb62e9a', 'corp', 'https://corp.example', 'alice-at-corp', 'symbolon', '{"sub":"alice-at-corp","name":"Alice"}', 'active', NULL, 1, NULL, NULL, NULL, 'Bearer', 'openid email offline_access', 'LD5iN22xbhSmKDvcG5OK0U9uZY/H9jNQnaC6uOxW+CFNNS3g9KuzNWSUhoL5AAuDmJh3N4hz1wgkncChLzSfBsx7t+Z1ADubcFE=', 'KNpvlKBvxeMEqutSy6rS6lucBDFjP2qkbk2lfoAX5Ek00xmtpl7EVMGxGDO5t6XxtaLD+OuN72KEA7mutCNHRIqwF1HgV9j+aKff', NULL, true, '1795373389393', '1795369789393', NULL, NULL, 'OuJyI0RgcrekszdGbHUoVSuaesBhr15esn8Hjcbq4NTwCdGYyM5Bd9MpBes7dEnIX8TLoswiKKdhFC+/', 'release', '1795369789394', '1795369789399', NULL);
INSERT INTO "migrations" ("id", "timestamp", "name") VALUES (1, '1763800000000', 'Initial1763800000000');
ALTER SEQUENCE migrations_id_seq OWNED BY migrations.id; SELECT setval('migrations_id_seq', (SELECT max(id) FROM migrations));
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at") VALUES ('KHpqwVs0AO82_uvlKAjIng9Ms_8EEEEFbDsHJ3zZmU4', 'ES256', 'current', '{"kty":"EC","x":"Se86BWvgmqnNImo1eFlsDpbRcIAOWx6FYr2p8CRAu_M","y":"xW49u-WTGB_GdmEJnpg-fjimFqZpy2KRg4BIspS1caI","crv":"P-256","kid":"KHpqwVs0AO82_uvlKAjIng9Ms_8EEEEFbDsHJ3zZmU4","alg":"ES256","use":"sig"}', 'LAo2QThGYyXL9joIbk4HYZPDvvTfdj0iZ4WbVCIPBrNUKKcTsOTAg1h3dqyNexvbmqYNGOL1lN6XTyeTCZo7ZKIMq+VqZiAMzzI3fg280VGBWPWigKMUhg4RpBodG/9BLEp8Tq/s2NOfcVzO+/Q9JiZRiaP/cRgjGvpRC/TIAwMHXXgXa+wQqFO89xivpM7tM7nL6Q+PiK35l4dRmW9LRcSGOJVwBp4WYwAxVt48C3j+7W0yBXXmxIGBy5RjOtPshvSHEftgcXpjG+oRRTkWVIoTZXll4V9dKg7rhFNmD1Fz6PLqrNi2bIAOHcmqOigilbtPjLhJbk3iJZlSkrXCQDN8A6GW+80nLpNxjA==', 'IFgsAmEQ8IU93pVZCsmTP/KhzDmNwzdy6hKc+FPCJCjtHvHhyhZhRl8oiF+zvlyTrNu859l0qOaLjglJ', 'release', '1795369789137', NULL);
INSERT INTO "signing_keys" ("kid", "algorithm", "status", "public_jwk", "private_key", "data_key", "encryption_key_id", "created_at", "retired_at") VALUES ('SgDFyErY7j8zqotgwIvmikRLdnB8aBaO-eN2WQCOpBY', 'RS256', 'current', '{"kty":"RSA","n":"zFnKv5ZOovOxZTlOuQKpdz2rJ_jbf2iOHxXOtkOeMsqSNv_iLIRU-az0GvBK0Yw86PO2zAH3o_IW6yKRDGIgvg07IZL5z230hA9x39ga2BvgePbfMRK7yrckRhgTa-442DUrcdi2XFvNGWjwhPt9Jr0sBSJd8A-_YyKZIV4I1UPMrBJ6mQpC1KbbLUxXLwjzR9IZ1RbSzXjNj2cJBkEToes7U07wZ-0a-CZYX0vjp4hubgdgT-NFQA4mwzbOoAtKPMwEBNBG7j1XB5-HTVHUpdUg3c5ZAPCI52Y082NK_sFZ9BMZMjgDZz_Cj5KfABQEgXhBs65RPtcKJsf1eYmFzw","e":"AQAB","kid":"SgDFyErY7j8zqotgwIvmikRLdnB8aBaO-eN2WQCOpBY","alg":"RS256","use":"sig"}', 'rhEmLN2e5CnPUwG7G801MutvXDTv20RLZ6fNNCOZBgVWYqUIUraMx7lIHuZabUYoIbiMnNOTzfQtUUH8KSxJGK6HHGYhajNRFQR6SgfaD/O4lFYZgwvjXxfpA0nF7l+4PPnwpzdr7PdClh3M6H5Flse3zZLepk8wK7xZkpsAFfIon8eLASTIP3M44yYGTTBAtuOSSQEyVFmoMKr5wLNpcWrydck3Y9zJq7/xXezqksQmAeaeTHvd6dMNGZNhcW+iH4uDEI1m5rNj3HNzxeeUu5y5bEQVPQ26nDvBnFxdHKqzr+WEBDgLxdHBJfTFo/WnMoXnLV7JLj7OR0XBwcTWZwLVaBNjSUR9RIVOvDQh6OdU8/dwum4aN9OWmHuWC8tALX2lkotM5jI6x++nsBHEQ0Yt50+3Ni234Bpor70onHfjBbJwYnZjjPh018oPxBPHTtnUIhc1ezftWBaWfzn81tpaSiMFcgkfmeaxq1Fuhr7TXnjqyBOKQMXFGLaBVseGHPPGMcbgJGD+pgeX2gZhHC31UeYA2jleR0d/g18DHfnycIoez9CT80Zbbgb1BRX2iYx9faAqK7xB7Utr8WCOb2HN7gmmm0puZ8xgwz6JmZG2f3NQKWli6IX+XiYGzxHKMBm4Czcdvw9rv7/cgJhe2cNaLc933G9YPNN5NCGwCqKNu7DwLg0ii/KrOihm2xgShc+q1T429VidgP/G+SongGQltlNyoS3/KZnJEv32BC6Iwif1Ea9/Yzv2RELKq2VAvHz24sCzw7xPfq9xlUPYijP1XYciRiX32uKNtlAXvEwbyu77llnPXudot500cYXb/N6OFspR4QewRdZmvO4ji79wwAiqHmyV6Dj8V+U97tP5IX5OW4HmnGJ1C5dL3lp85pFVjlIj5fiRGsaPpr0gIBT9bIT3LNjlKZEDS3D9Z0Fur4EDMfg2y6Ni7Ir70mjfVIQIMNSR3p1gDYVd84nQVeDD7N7tOLTXI9oCsrL+3Iih7w5V0HPIFAX5eA8gXLmR/v7OG7E1XQfgKNfMv0acDvOH3CafLK/Cvn3FNyC+ubYYAM7+EEqXfsKE/hIwp/gSE5joB87X6TsMItrgxSo/9f+HfVvws6C2B4UFhU8bRPdp9uMJnzgkx1bNT5tTztRXSjJtFDk2eZVEHjMh3qKwXXrWdj55CbeT1nR/g26Jz1PC/bFVisQfelPxYdDaDsQJp2UMhCvTjgObuni8vKO9VPApP+dD1pCTUhabyZ7H+TxU9n23pBrdDeWt5/gspvAmj8fyktCmd5fZipj3rDqgQn2jQE+eSBkuhkoFR56TjwYlGueR2hcpIeIyAEr8kCjjUIGgpbOBjHSmoF5WNLRd7bkO84QQMne3rH7CF1GlHv05tMKn/vy//aLf+Uin9x0sUGQXrVbZli6CBNr+7f3i8NVLcgeR7EKLoyypddtz5XU0aBJ45/k9L8paEMEmG/CUMK6Ufj1g2uir6ryuJLbbmzuO4EUkksIGbdBZ82k9isqsfO5EVdlbGmXzkNHwWhX6evSq/f+TFFt2AncENj8y99w84DzlzbLt6pSSBRnYQPhYf55TcKRGoWxvAMPmmzVr/dcsHDZ5+/yd7TDATjN6OJ9xp7aYcSvIAOhSXZ3eK/3FIfCHY1+wKu4u2C3I2e0M96NvBJ18RDGbxoeNmCB+zEjZeZqmAf1V7Fy67rvHK8N0MLbeEuW4k9YyqXxGDptbbyG7zCUH2/UIqV3l4vvuMhaa6tqU/zr+mIRJfZ8yJbHmNp3+tU8umrAv+pbpom/CY/hYQq2xvdZdjzt3H/UoDzgI26GOb9KvCQ0EFN53SonyYIlqMNPIZM2xIGvUWFrpK3duVGmqWQ7X2BJo+116DGEGdENjw/ghRZuUu5A+4UYTiccLXKbd5ctw/ydicDJmHNLen/EOdUjov32Qq0PJmkUt6QEDD8N9Ocfd7r09ylANknMQBYBhvgts6jVTedX05vFUut2WOilGj9x5ejgHXsUdtdDISt3FtA5XLfdq7QV7uA/5QLhWdK1GoRv7P2xDdHAzQbKFKVV1IgBGcqceZHFwcrL1H38tZ+eHBtk12IT+4GaRS9Nx7I14XsFhK82oowP6kEbxMCc31QmKefuigpGAYkRG4twWY+FFIDpVNA9jDBZnmc9asE+fZAGrcWbgpFFKliteNlXUIA5kH2f3tw+8y0siJxkxjreAq5kd5esz348Uvsy4pSKn+wLQ5t9zWuyVpzqRPVa63mSMvjYFeQR5Ax0w7+YIbbW0R32jPMSvtP/InWOa1NjkoC79EIq4NZEk', '+9/C+ipByEktF5n1YHwUxXxXp1w09+1gvHkSIsviWMKgjgM+hYYz050tS58hCay4dIWNxBZN6rD3V+ZP', 'release', '1795369789382', NULL);
INSERT INTO "users" ("id", "username", "full_name", "email", "email_verified", "password_hash", "basic_auth_enabled", "blocked_at", "created_at", "updated_at") VALUES ('dab09d41-f6c7-4ca7-a110-38e49bb62e9a', 'alice', 'Alice', 'alice@corp.example', false, '$argon2id$v=19$m=19456,t=2,p=1$ixNIReeJhRvEsr//MOww2w$8JzjTfu/SGrZkivfHMTb4at9lRl9ooNUm3bpZV75D3E', false, NULL, '1795369789019', '1795369789019');
