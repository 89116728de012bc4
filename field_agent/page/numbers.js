// The numbers that an officer reads off a thing, checked on the phone: without a network nobody else would before it is too late.
//
// The centre checks them again; its rules are the same.

const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
const VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ";
const VIN_VALUES = "12345678123457923456789";
const MOST_YUAN = 1e13;

const squeezed = (text) => text.normalize("NFKC").replace(/\s+/g, "");

function isVin(text) {
  if (!/^[A-HJ-NPR-Z0-9]{17}$/.test(text)) return false;
  const value = (sign) => Number(/\d/.test(sign) ? sign : VIN_VALUES[VIN_LETTERS.indexOf(sign)]);
  const total = [...text].reduce((sum, sign, place) => sum + value(sign) * VIN_WEIGHTS[place], 0);
  return text[8] === "0123456789X"[total % 11];
}

function isCard(digits) {
  const total = [...digits].reverse().reduce((sum, sign, place) => {
    const doubled = Number(sign) * (place % 2 ? 2 : 1);
    return sum + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return total % 10 === 0;
}

function isAccount(text) {
  const digits = text.replace(/-/g, "");
  return /^\d{8,32}$/.test(digits) && (!/^62\d{14,17}$/.test(digits) || isCard(digits));
}

function isMovable(text) {
  const upper = text.toUpperCase();
  return upper.length === 17 ? isVin(upper) : /^蒙[A-HJ-NP-Z][A-HJ-NP-Z0-9]{5,6}$/.test(upper.replace(/[·•.-]/g, ""));
}

const CHECKS = {
  bank_account: isAccount,
  movable: isMovable,
  real_estate: (text) => /^\d{12}[GJZ][ABSXCDEFHGWY]\d{5}[FLQW]\d{8}$/.test(text.toUpperCase()),
  other_right: (text) => text.length <= 64,
};

/** Whether this can be the number of such a thing; none at all can. */
export function isNumberOf(kind, text) {
  const normal = squeezed(text);
  return normal === "" || CHECKS[kind](normal);
}

/** An amount in yuan as cents: null where nothing was written, NaN where it is none. */
export function centsOf(text) {
  const normal = squeezed(text).replace(/,/g, "");
  if (normal === "") return null;
  if (!/^\d{1,15}(\.\d{1,2})?$/.test(normal)) return NaN;
  const [yuan, parts = ""] = normal.split(".");
  const cents = Number(yuan) * 100 + Number(parts.padEnd(2, "0"));
  return cents > 0 && Number(yuan) <= MOST_YUAN ? cents : NaN;
}
