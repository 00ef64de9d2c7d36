import RocketGeneratorPlugin

/// Methods of a service at the time of generation, as comments in its implementation. The next run
/// reads them, keeps their names and reports what has changed.
struct MethodRecord: Equatable {
    /// One method.
    struct Entry: Equatable {
        /// Name on the wire: `shop.Order.makeOrder`.
        var fullName: String
        /// `(shop.Want) returns (stream shop.Bill)`
        var signature: String
        /// `MakeOrder`
        var interface: String
        /// The program that calls the service: `test_order_client`. Empty in a record of the layout
        /// that had a program for each method.
        var testClient: String

        /// Which sides are streams.
        var kind: MethodKind {
            MethodKind(
                streamsRequests: signature.hasPrefix("(stream "),
                streamsResponses: signature.contains(" returns (stream "))
        }

        /// The service's full name: `shop.Order`.
        var service: String { fullName.split(separator: ".").dropLast().joined(separator: ".") }
    }

    var entries: [Entry]

    init(_ methods: [ProjectMethod]) {
        entries = methods.map {
            Entry(
                fullName: $0.fullName, signature: $0.signature, interface: $0.interface,
                testClient: $0.testClient)
        }
    }

    /// The record as comment lines.
    var lines: Lines { Self.lines(entries) }

    /// Returns entries as comment lines.
    static func lines(_ entries: [Entry]) -> Lines {
        ["// Methods at the time of generation:"]
            + entries.flatMap {
                [
                    "//   rpc \($0.fullName)\($0.signature)",
                    "//     interface \($0.interface), called by \($0.testClient)",
                ]
            }
    }

    /// Reads the record from a file; empty if there is none.
    init(reading text: String) {
        let method = /\/\/   rpc ([\w.]+)(\((?:stream )?[\w.]+\) returns \((?:stream )?[\w.]+\))/
        let names = /\/\/     interface (\w+), (?:called by (\w+)|test client \w+)/
        let lines = text.split(whereSeparator: \.isNewline)
        entries = zip(lines, lines.dropFirst()).compactMap { first, second in
            guard let first = first.wholeMatch(of: method),
                let second = second.wholeMatch(of: names)
            else { return nil }
            return Entry(
                fullName: String(first.1), signature: String(first.2), interface: String(second.1),
                testClient: second.2.map(String.init) ?? "")
        }
    }
}
