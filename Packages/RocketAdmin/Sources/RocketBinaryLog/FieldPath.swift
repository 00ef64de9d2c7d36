/// Names fields of messages: `password`, `card.number`, `items.*.time`. A value.
///
/// Each name is that of the .proto file, or `*` for any. A path means the fields at whose own paths it
/// is the end: `time` means all fields with this name, however deep. With a dot in front it begins at
/// the message itself: `.time`. The index of an element may be left out: `items.time`.
public struct FieldPath: Hashable, Sendable, CustomStringConvertible {
    /// A step from a message or a list to what it contains.
    public enum Step: Hashable, Sendable {
        case name(String)
        case index(Int)
    }

    /// The names, from the outermost.
    public let names: [String]
    /// Whether the first name is that of a field of the message itself.
    public let isAnchored: Bool

    /// The most names of a path.
    public static let maxNames = 32
    /// The most bytes of one.
    public static let maxBytes = 500

    /// Parses a path; nil: it is none.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.maxBytes else { return nil }
        isAnchored = text.hasPrefix(".")
        names = text.dropFirst(isAnchored ? 1 : 0)
            .split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard (1...Self.maxNames).contains(names.count), names.allSatisfy(Self.isName) else {
            return nil
        }
    }

    private static func isName(_ text: String) -> Bool {
        text == "*"
            || !text.isEmpty
                && text.utf8.allSatisfy {
                    switch $0 {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
    }

    /// Parses paths with commas between them; returns the first text that is none.
    public static func list(_ text: String) -> Result<[FieldPath], NoFieldPath> {
        var paths: [FieldPath] = []
        for part in text.split(separator: ",") {
            let part = part.drop { $0 == " " }
            let name = String(part.reversed().drop { $0 == " " }.reversed())
            guard let path = FieldPath(name) else { return .failure(NoFieldPath(text: name)) }
            paths.append(path)
        }
        return .success(paths)
    }

    /// Whether the field at those steps is meant.
    public func matches(_ steps: [Step]) -> Bool {
        // Bit n: the steps behind the current one are those that the names from n on mean.
        var reached = UInt64(1) << UInt64(names.count)
        for step in steps.reversed() {
            if !isAnchored, reached & 1 != 0 { return true }
            var next: UInt64 = 0
            for count in 1...names.count where reached >> UInt64(count) & 1 != 0 {
                let name = names[count - 1]
                switch step {
                case .name(let field):
                    if name == "*" || name == field { next |= 1 << UInt64(count - 1) }
                case .index(let index):
                    if name == "*" || name == "\(index)" { next |= 1 << UInt64(count - 1) }
                    next |= 1 << UInt64(count)
                }
            }
            if next == 0 { return false }
            reached = next
        }
        return reached & 1 != 0
    }

    /// The text from which `init` parses it.
    public var description: String { (isAnchored ? "." : "") + names.joined(separator: ".") }

    /// The text of steps: `items.0.time`.
    public static func text(_ steps: [Step]) -> String {
        steps.map {
            switch $0 {
            case .name(let name): name
            case .index(let index): "\(index)"
            }
        }.joined(separator: ".")
    }
}

/// A text that names no field.
public struct NoFieldPath: Error, Hashable, Sendable, CustomStringConvertible {
    let text: String

    /// The text, and what was expected.
    public var description: String {
        "'\(text)' is no field: expected names of letters, digits and _, or *, with dots between them"
    }
}
