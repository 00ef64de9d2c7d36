import Foundation

/// The .proto files' descriptors, which a service protocol refers to.
struct DescriptorsTemplate {
    let bytes: [UInt8]
    let names: RuntimeNames

    /// What the constant is called: each generated file has its own.
    static let constant = "rocketFileDescriptors"

    /// The constant, in lines of 76 characters of base64.
    var lines: Lines {
        var rest = Data(bytes).base64EncodedString()[...]
        var text: Lines = []
        while !rest.isEmpty {
            let line = rest.prefix(76)
            rest = rest.dropFirst(76)
            text.append("\(line)\(rest.isEmpty ? "" : "\\")")
        }
        return [
            "/// This .proto file and what it imports, for `rocket.Reflection`.",
            "private nonisolated let \(Self.constant) = \(names.descriptors)(",
            "    base64: \"\"\"",
        ] + text.map { "        \($0)" } + ["        \"\"\")"]
    }
}
