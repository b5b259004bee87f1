// Values of application properties: as they are sent, and as they are written in an answer.
import { types } from "rhea-promise";

const UUID = Buffer.from("12345678123456781234567812345678", "hex");

export function ofEveryType() {
  return {
    string: "text \u00e9\u4e16",
    int: types.wrap_int(-7),
    long: types.wrap_long(2 ** 40),
    double: types.wrap_double(0.25),
    boolean: true,
    timestamp: types.wrap_timestamp(Date.parse("2026-11-27T10:00:00.123Z")),
    uuid: types.wrap_uuid(UUID),
    binary: types.wrap_binary(Buffer.from([0, 1, 255])),
    symbol: types.wrap_symbol("a-symbol"),
  };
}

// To this library a timestamp is a number, and binary and a UUID are plain objects of bytes: what they were isn't known.
export function written(properties) {
  return Object.fromEntries(Object.entries(properties ?? {}).map(([name, value]) => [name, plain(value)]));
}

function plain(value) {
  return typeof value === "object" ? { binary: Buffer.from(Object.values(value)).toString("base64") } : value;
}
