import CRocketLog

/// Text of peers, users and files, made safe to print: in log lines, on terminals, in JSON.
///
/// Unsafe are control characters (C0 and C1), line and paragraph separators, characters that change
/// the direction of writing, and invisible ones. They could move a cursor, begin a forged line, or
/// make a text look like another one. Joiners (U+200C, U+200D), which emoji and some scripts need,
/// are safe.
public enum PrintableText {
    /// Returns whether the character must be escaped before it is printed.
    public static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        rocket_log_is_unsafe(scalar.value) != 0
    }

    /// Returns the text with each unsafe character replaced by `escape` of it.
    public static func escaping(
        _ text: String, _ escape: (Unicode.Scalar) -> String
    ) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var safe = ""
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar) {
                safe += escape(scalar)
            } else {
                safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    /// Returns JSON with unsafe characters of its strings as `\uNNNN`, which any reader of JSON
    /// turns back into the same strings.
    public static func json(_ text: String) -> String {
        escaping(text) { scalar in
            // JSON has none of these outside of strings except as white space.
            if ["\n", "\r", "\t"].contains(scalar) { return String(scalar) }
            return String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
    }

    /// The form of Swift: `\u{9B}`.
    public static func swiftEscape(_ scalar: Unicode.Scalar) -> String {
        "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    }
}
