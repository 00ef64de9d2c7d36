import Testing

@testable import RocketGeneratorPlugin

@Suite("The descriptors")
struct DescriptorsTemplateTests {
    @Test("stand in lines of base64 that are one text")
    func standInLines() {
        let piece = DescriptorsTemplate(
            bytes: [UInt8](repeating: 0, count: 60), names: Samples.names)
        #expect(
            piece.lines == [
                "/// This .proto file and what it imports, for `rocket.Reflection`.",
                "private nonisolated let rocketFileDescriptors = _RPCFileDescriptors(",
                "    base64: \"\"\"",
                "        " + String(repeating: "A", count: 76) + "\\",
                "        AAAA",
                "        \"\"\")",
            ])
    }

    @Test("are named in each service protocol, unless they are not wanted")
    func areNamed() throws {
        let file = FileModel(
            protoPath: "a.proto", descriptors: [1],
            services: [Samples.service(Samples.makeOrder)])
        func text(_ pairs: (key: String, value: String)...) throws -> String {
            FileTemplate(
                file: file, options: try GeneratorOptions(pairs: pairs), names: Samples.names
            ).text
        }
        let line = "static var fileDescriptors: _RPCFileDescriptors { rocketFileDescriptors }"
        #expect(try text().contains(line))
        #expect(try !text(("Descriptors", "false")).contains("escriptors"))
        #expect(try !text(("Server", "false")).contains("escriptors"))
    }
}
