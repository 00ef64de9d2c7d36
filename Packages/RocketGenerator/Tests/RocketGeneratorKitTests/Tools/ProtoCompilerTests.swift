import Foundation
import Testing

@testable import RocketGeneratorKit

@Suite("Compiler of .proto files")
struct ProtoCompilerTests {
    private func describe(
        _ files: [String: String], main: String, imports: [String] = []
    ) throws -> ProtoDescription {
        let folder = try TemporaryFolder()
        for (path, text) in files {
            let file = "\(folder.path)/\(path)"
            try FileManager.default.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        let compiler = ProtoCompiler(
            "\(folder.path)/\(main)", importPaths: imports.map { "\(folder.path)/\($0)" },
            tools: ToolFinder())
        let description = try compiler.describe()
        // Here, since the folder is deleted at the end of this function.
        _ = try description.texts()
        return description
    }

    @Test("Reports errors in protoc's format")
    func wrong() {
        let failure = #expect(throws: GeneratorFailure.self) {
            try describe(
                ["a.proto": "syntax = \"proto3\";\nmessage M {\n  in32 x = 1;\n}\n"],
                main: "a.proto")
        }
        #expect(failure?.details == ["a.proto:3:3: \"in32\" is not defined."])
    }

    @Test("Names a missing file")
    func missing() {
        let failure = #expect(throws: GeneratorFailure.self) { try describe([:], main: "no.proto") }
        #expect(failure?.description.contains("no.proto can't be read") == true)
    }

    @Test("Finds imports in the import paths; well-known files need none")
    func imports() throws {
        let description = try describe(
            [
                "api/v1/a.proto": """
                syntax = "proto3"; import "common/b.proto"; import "google/protobuf/any.proto";
                message M { B b = 1; google.protobuf.Any any = 2; }
                """,
                "lib/common/b.proto": "syntax = \"proto2\"; message B {}",
            ], main: "api/v1/a.proto", imports: ["api", "lib"])
        #expect(description.main == "v1/a.proto")
        #expect(description.projectFiles.sorted() == ["common/b.proto", "v1/a.proto"])
    }
}
