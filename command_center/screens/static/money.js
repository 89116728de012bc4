// Amounts as the court reads them: yuan with separators and two digits.

/** `12345600` cents are `123,456.00`. */
export function money(cents) {
  const sign = cents < 0 ? "-" : "";
  const whole = BigInt(Math.abs(cents));
  return `${sign}${(whole / 100n).toLocaleString("en-US")}.${String(whole % 100n).padStart(2, "0")}`;
}
