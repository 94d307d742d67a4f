/** Prints all but the library's own notices. */
const withoutNotices =
  (print) =>
  (...parts) => {
    if (!/oidc-provider (?:NOTICE|WARNING)/.test(String(parts[0]))) print.apply(console, parts);
  };

/**
 * Runs something without the notices that oidc-provider prints about runtimes and defaults: in a demo and in a test they
 * only hide what matters. Nothing else is swallowed.
 */
export async function quietly(work) {
  const { info, warn } = console;
  console.info = withoutNotices(info);
  console.warn = withoutNotices(warn);
  try {
    return await work();
  } finally {
    console.info = info;
    console.warn = warn;
  }
}
