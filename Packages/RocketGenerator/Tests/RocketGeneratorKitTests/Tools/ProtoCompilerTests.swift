import Foundation
import SwiftProtobufPluginLibrary
import Testing

@testable import RocketGeneratorKit

@Suite("Compiler of .proto files")
struct ProtoCompilerTests {
    private func describe(
        _ files: KeyValuePairs<String, String>, mains: [String], imports: [String] = [],
        tools: ToolFinder = ToolFinder()
    ) throws -> ProtoDescription {
        let folder = try Sample.folder(files)
        let compiler = try ProtoCompiler(
            mains.map { "\(folder.path)/\($0)" },
            importPaths: imports.map { "\(folder.path)/\($0)" }, tools: tools)
        let description = try compiler.describe()
        // Here, since the folder is deleted at the end of this function.
        _ = try description.texts()
        return description
    }

    private func failure(
        _ files: KeyValuePairs<String, String>, mains: [String], imports: [String] = [],
        tools: ToolFinder = ToolFinder()
    ) -> GeneratorFailure? {
        #expect(throws: GeneratorFailure.self) {
            try describe(files, mains: mains, imports: imports, tools: tools)
        }
    }

    @Test("Reports errors in protoc's format")
    func wrong() {
        let failure = failure(
            ["a.proto": "syntax = \"proto3\";\nmessage M {\n  in32 x = 1;\n}\n"],
            mains: ["a.proto"])
        #expect(failure?.details == ["a.proto:3:3: \"in32\" is not defined."])
    }

    @Test("Names a missing file")
    func missing() {
        let failure = failure([:], mains: ["no.proto"])
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
            ], mains: ["api/v1/a.proto"], imports: ["api", "lib"])
        #expect(description.mains == ["v1/a.proto"])
        #expect(description.projectFiles.sorted() == ["common/b.proto", "v1/a.proto"])
    }

    @Test("Reads several files, each also without an import path that contains it")
    func several() throws {
        let text = "syntax = \"proto3\"; "
        let files: KeyValuePairs = [
            "x/a.proto": text, "y/b.proto": text + "import \"a.proto\";", "y/unused.proto": text,
        ]
        let description = try describe(files, mains: ["y/b.proto", "x/a.proto"])
        #expect(description.mains == ["b.proto", "a.proto"])
        #expect(description.mainDescriptors.map(\.name) == ["b.proto", "a.proto"])
    }

    @Test("Refuses two files of one name, and says how both can be used")
    func oneName() throws {
        let files: KeyValuePairs = [
            "one/service.proto": "syntax = \"proto3\";",
            "two/service.proto": "syntax = \"proto3\";",
        ]
        let mains = ["one/service.proto", "two/service.proto"]
        let failure = failure(files, mains: mains)
        #expect(failure?.description.contains("one/service.proto") == true)
        #expect(failure?.description.contains("use -I with a folder that contains both") == true)
        #expect(try describe(files, mains: mains, imports: [""]).mains == mains)
    }

    @Test("Names the folders in which a missing import was searched")
    func missingImport() {
        let failure = failure(
            ["x/a.proto": "syntax = \"proto3\"; import \"b.proto\";", "lib/c.proto": ""],
            mains: ["x/a.proto"], imports: ["lib"])
        #expect(failure?.description.contains("/x and ") == true)
        #expect(failure?.description.contains("/lib (-I adds a folder)") == true)
    }

    @Test("Names an import path that does not exist")
    func missingImportPath() {
        let failure = failure(
            ["a.proto": "syntax = \"proto3\";"], mains: ["a.proto"], imports: ["nowhere"])
        #expect(failure?.description.contains("/nowhere: no such folder") == true)
    }

    @Test("Names the file and line of a comment that is no UTF-8")
    func invalidComment() throws {
        let folder = try Sample.folder([:])
        let path = "\(folder.path)/a.proto"
        var text = Data("syntax = \"proto3\";\n\n// ".utf8)
        text.append(contentsOf: [0xd6, 0xd0])
        text.append(contentsOf: Data("\nmessage M {}\n".utf8))
        try text.write(to: URL(fileURLWithPath: path))
        let failure = #expect(throws: GeneratorFailure.self) {
            try ProtoCompiler([path], importPaths: [], tools: ToolFinder()).describe()
        }
        #expect(
            failure?.details
                == ["a.proto:4:1: the comment of this declaration is not valid UTF-8"])
    }

    @Test("Explains that editions need a newer protoc, which PROTOC can name")
    func editions() throws {
        // Answers like a protoc before 27, whatever is installed.
        let old = try Sample.folder([
            "protoc": "#!/bin/sh\n"
                + "echo 'a.proto:2:1: Expected top-level statement (e.g. \"message\").' >&2; exit 1\n"
        ])
        let protoc = "\(old.path)/protoc"
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: protoc)
        let tools = ToolFinder(environment: ["PROTOC": protoc], programFolder: "/")
        let failure = failure(
            ["a.proto": "// A file.\nedition = \"2023\";\n"], mains: ["a.proto"], tools: tools)
        #expect(
            failure?.description.hasSuffix(
                ": a.proto uses editions, for which \(protoc) is too old: set PROTOC to the path of "
                    + "protoc 27 or newer") == true)
    }
}
