import RocketGeneratorPlugin

/// What a service's methods were when its implementation was written: read again at the next run,
/// to tell what has changed since.
struct MethodRecord: Equatable {
    /// One method as it was.
    struct Entry: Equatable {
        /// On the wire: `shop.Order.makeOrder`.
        var fullName: String
        /// `(shop.Want) returns (shop.Bill)`
        var signature: String
        /// `MakeOrder`
        var interface: String
        /// `test_make_order_client`
        var testClient: String
    }

    var entries: [Entry]

    init(_ methods: [ProjectMethod]) {
        entries = methods.map {
            Entry(
                fullName: $0.fullName, signature: $0.signature, interface: $0.interface,
                testClient: $0.testClient)
        }
    }

    /// As comment lines.
    var lines: Lines {
        ["// The methods when this was written:"]
            + entries.flatMap {
                [
                    "//   rpc \($0.fullName)\($0.signature)",
                    "//     is \($0.interface), called by \($0.testClient)",
                ]
            }
    }

    /// Reads them back out of a file; empty where there are none.
    init(reading text: String) {
        let method = /\/\/   rpc ([\w.]+)(\([\w.]+\) returns \([\w.]+\))/
        let names = /\/\/     is (\w+), called by (\w+)/
        let lines = text.split(separator: "\n")
        entries = zip(lines, lines.dropFirst()).compactMap { first, second in
            guard let first = first.wholeMatch(of: method),
                let second = second.wholeMatch(of: names)
            else { return nil }
            return Entry(
                fullName: String(first.1), signature: String(first.2), interface: String(second.1),
                testClient: String(second.2))
        }
    }
}
