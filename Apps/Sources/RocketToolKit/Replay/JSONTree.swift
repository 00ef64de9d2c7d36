import FoundationEssentials
import RocketBinaryLog

/// Any JSON, for the comparison of messages. A value.
indirect enum JSONTree: Decodable, Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case object([String: JSONTree])

    /// Parses JSON that libprotobuf has written.
    init(json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSONTree].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSONTree].self))
        }
    }

    /// One line, of at most about 80 characters.
    var text: String {
        let text = whole
        return text.count <= 80 ? text : text.prefix(77) + "..."
    }

    private var whole: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value):
            value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
        case .text(let text): CallReport.quoted(text)
        case .list(let values): "[" + values.map(\.whole).joined(separator: ",") + "]"
        case .object(let fields):
            "{"
                + fields.sorted { $0.key < $1.key }
                .map { "\(CallReport.quoted($0.key)):\($0.value.whole)" }.joined(separator: ",")
                + "}"
        }
    }
}

/// Where two messages differ. A value.
struct FieldDifference: Hashable, Sendable, Codable {
    /// `items.0.price`
    let path: String
    /// As JSON; nil: it is missing.
    let recorded: String?
    let now: String?

    /// `price: 100 -> 101`.
    var text: String { "\(path): \(recorded ?? "nothing") -> \(now ?? "nothing")" }
}

extension JSONTree {
    /// The most differences of two messages that are found.
    static let maxDifferences = 100

    /// Returns where another message differs from this one: fields by name, elements of lists by their
    /// place.
    ///
    /// - Parameter ignored: fields that are not compared.
    func differences(from now: JSONTree, ignoring ignored: [FieldPath]) -> [FieldDifference] {
        var found: [FieldDifference] = []
        var steps: [FieldPath.Step] = []
        Self.compare(self, now, ignored, &steps, &found)
        return found
    }

    private static func compare(
        _ recorded: JSONTree?, _ now: JSONTree?, _ ignored: [FieldPath],
        _ steps: inout [FieldPath.Step], _ found: inout [FieldDifference]
    ) {
        if recorded == now || found.count >= maxDifferences { return }
        if !steps.isEmpty, ignored.contains(where: { $0.matches(steps) }) { return }
        func compare(_ step: FieldPath.Step, _ recorded: JSONTree?, _ now: JSONTree?) {
            steps.append(step)
            Self.compare(recorded, now, ignored, &steps, &found)
            steps.removeLast()
        }
        switch (recorded, now) {
        case (.object(let old)?, .object(let new)?):
            for name in Set(old.keys).union(new.keys).sorted() {
                compare(.name(name), old[name], new[name])
            }
        case (.list(let old)?, .list(let new)?):
            for index in 0..<max(old.count, new.count) {
                compare(
                    .index(index), index < old.count ? old[index] : nil,
                    index < new.count ? new[index] : nil)
            }
        default:
            found.append(
                FieldDifference(
                    path: FieldPath.text(steps), recorded: recorded?.text, now: now?.text))
        }
    }
}
