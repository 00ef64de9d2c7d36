import FoundationEssentials

/// What `/overview.json` has.
struct TopOverview: Decodable, Hashable, Sendable {
    /// A second of the last minute.
    struct Second: Decodable, Hashable, Sendable {
        var calls_per_second: Double?
        var p99_seconds: Double?
    }

    /// What needs attention.
    struct Finding: Decodable, Hashable, Sendable {
        var text: String
    }

    var state: String
    var age_seconds: Double
    var calls_per_second: Double?
    var errors_per_second: Double?
    var p50_seconds: Double?
    var p99_seconds: Double?
    var p999_seconds: Double?
    var in_flight: Double
    var connections: Double
    var memory_bytes: Double
    var memory_budget_bytes: Double?
    var resident_bytes: Double?
    var processors: Double?
    var attention: [Finding]
    var seconds: [Second]
}

/// A cell of a table: a number, a text, or nothing. Objects and arrays, which `top` does not show,
/// are nothing.
enum TopCell: Decodable, Hashable, Sendable {
    case number(Double), text(String), none

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let flag = try? value.decode(Bool.self) {
            self = .text(flag ? "yes" : "no")
        } else {
            self = .none
        }
    }
}

/// The tables of a page, by name, with a dictionary for each row.
struct TopTable: Decodable, Hashable, Sendable {
    private var tables: [String: [[String: TopCell]]] = [:]
    /// How many rows the page has left out.
    private(set) var leftOut = 0

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let page = try decoder.container(keyedBy: Name.self)
        for name in page.allKeys {
            if name.stringValue == "left_out" {
                leftOut = try page.decode(Int.self, forKey: name)
            } else {
                tables[name.stringValue] = try page.decode([[String: TopCell]].self, forKey: name)
            }
        }
    }

    subscript(_ name: String) -> [[String: TopCell]]? { tables[name] }
}
