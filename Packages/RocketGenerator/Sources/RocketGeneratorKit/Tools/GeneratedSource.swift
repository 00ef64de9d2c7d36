/// A file that a plugin of protoc made.
struct GeneratedSource: Equatable {
    /// `order.pb.swift`
    var name: String
    var text: String
    /// The .proto file that it was made from: `order.proto`.
    var proto: String

    init(name: String, text: String, proto: String) {
        self.name = name
        self.text = text
        self.proto = proto
    }
}
