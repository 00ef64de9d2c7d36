import Testing

@testable import RocketGeneratorPlugin

@Suite("Template of the descriptors")
struct DescriptorsTemplateTests {
    @Test("Writes base64 in lines that form one text")
    func writesLines() {
        let template = DescriptorsTemplate(
            bytes: [UInt8](repeating: 0, count: 60), names: Samples.names)
        #expect(
            template.lines == [
                "/// This .proto file and its imports, for `rocket.Reflection`.",
                "private nonisolated let rocketFileDescriptors = _RPCFileDescriptors(",
                "    base64: \"\"\"",
                "        " + String(repeating: "A", count: 76) + "\\",
                "        AAAA",
                "        \"\"\")",
            ])
    }

    @Test("Each service protocol refers to the descriptors unless an option omits them")
    func refersToDescriptors() throws {
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
