// Amounts as the court reads them: yuan with separators and two digits.

/** `12345600` cents are `123,456.00`. */
export function money(cents) {
  const sign = cents < 0 ? "-" : "";
  const whole = BigInt(Math.abs(cents));
  return `${sign}${(whole / 100n).toLocaleString("en-US")}.${String(whole % 100n).padStart(2, "0")}`;
}

/** Read yuan as somebody writes them, such as `1,234.50`, as cents; null where it is no exact amount. */
export function cents(text) {
  const plain = text.normalize("NFKC").replace(/[\s,]/g, "");
  if (!/^\d{1,13}(\.\d{1,2})?$/.test(plain)) return null;
  const [yuan, rest = ""] = plain.split(".");
  return Number(yuan) * 100 + Number(rest.padEnd(2, "0"));
}
