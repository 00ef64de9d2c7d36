import EndToEndKit
import Foundation
import Testing

/// The output and files of rocket_generator, at its first run and later; Tests/Generator builds the
/// generated project.
struct GeneratorTests {
    private let make = "  rpc make(Request) returns (Reply);"
    private let find = "  rpc find(Request) returns (Reply);"

    @Test("Writes the whole project into an empty folder, and a second run changes nothing")
    func tree() throws {
        let project = try GeneratedProject()
        let result = try project.generate(make)
        #expect(result.status == 0, "\(result)")
        let files = project.files()
        #expect(
            files.keys.sorted() == [
                ".gitignore", "Makefile", "Package.swift", "Protos/order.proto", "README.md",
                "Sources/Order/comm/BusinessException.swift",
                "Sources/Order/interface/Interface.swift", "Sources/Order/interface/Make.swift",
                "Sources/Order/pb/order.pb.swift", "Sources/Order/pb/order.rocket.swift",
                "Sources/Order/service/OrderServiceImpl.swift", "Sources/order/main.swift",
                "Tests/OrderTests/MakeTests.swift", "bin/run.sh", "bin/shutdown.sh",
                "conf/order.service", "conf/order.socket", "conf/rocket.xml",
                "test_client/test_order_client/main.swift",
            ])
        #expect(FileManager.default.isExecutableFile(atPath: project.path + "/bin/run.sh"))
        let again = try project.generate(make)
        #expect(again.output == "\(project.path): nothing to write\n", "\(again)")
        #expect(project.files() == files)
    }

    @Test("--diff and --dry-run print the changes and write nothing")
    func preview() throws {
        let project = try GeneratedProject()
        let first = try project.generate(make, "--diff")
        #expect(first.output.contains("+++ b/Sources/Order/interface/Make.swift"), "\(first)")
        #expect(!FileManager.default.fileExists(atPath: project.path))
        _ = try project.generate(make)
        let files = project.files()
        let diff = try project.generate(make + "\n" + find, "--diff")
        #expect(diff.output.contains("+    .init(OrderMethods.find),"), "\(diff)")
        #expect(diff.output.contains("new method Order.find"))
        let dry = try project.generate(make + "\n" + find, "--dry-run")
        #expect(dry.output.contains("new      Sources/Order/interface/Find.swift"), "\(dry)")
        #expect(project.files() == files)
    }

    @Test("Prints protoc's error for an invalid .proto file, and writes nothing")
    func invalidProto() throws {
        let project = try GeneratedProject()
        let result = try project.generate("  rpc make(Request) returns (Repl);")
        #expect(result.status == 65 && result.output.isEmpty)
        #expect(result.errors.contains("order.proto:5:30: \"Repl\" is not defined."), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: project.path))
    }

    @Test("Writes a function for each method with streams, and a second run changes nothing")
    func stream() throws {
        let project = try GeneratedProject()
        let methods = """
              rpc watch(Request) returns (stream Reply);
              rpc send(stream Request) returns (Reply);
              rpc chat(stream Request) returns (stream Reply);
            """
        let result = try project.generate(methods)
        #expect(result.status == 0, "\(result)")
        for (name, function) in [("Watch", "watch"), ("Send", "send"), ("Chat", "chat")] {
            let stub = project.text("Sources/Order/interface/\(name).swift") ?? ""
            #expect(stub.contains("    public func \(function)("), "\(name)")
        }
        let again = try project.generate(methods)
        #expect(again.output == "\(project.path): nothing to write\n", "\(again)")
    }

    @Test("Reports a missing protoc with the command that installs it")
    func noProtoc() throws {
        let project = try GeneratedProject()
        try project.write("order.proto", "syntax = \"proto3\";")
        let result = try Programs.run(
            "rocket_generator", ["-i", project.folder + "/order.proto", "-o", project.folder],
            environment: ["PATH": "/nowhere"])
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("apt-get install protobuf-compiler"))
    }

    @Test("Refuses a folder with a package that it has not generated")
    func otherPackage() throws {
        let project = try GeneratedProject()
        try FileManager.default.createDirectory(
            atPath: project.path, withIntermediateDirectories: true)
        try project.write("order/Package.swift", "// theirs\n")
        let result = try project.generate(make)
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("holds another package"))
        #expect(Array(project.files().keys) == ["Package.swift"])
    }

    @Test(
        "Prints one line with the invalid argument",
        arguments: [
            (["-i", "/no/such.proto", "-o", "."], "/no/such.proto"),
            (["-i", "x.proto"], "output"), (["-i", "x", "-o", ".", "--imput"], "--imput"),
            (["-i", "x.proto", "-o", ".", "--port", "99999"], "99999"),
        ])
    func usage(arguments: [String], text: String) throws {
        let result = try Programs.run("rocket_generator", arguments)
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains(text), "\(result)")
    }

    @Test("Prints one line for a folder that can't be written to")
    func notWritable() throws {
        let project = try GeneratedProject()
        // A file instead of a folder: root may write into any folder.
        try project.write("order", "mine")
        let result = try project.generate(make)
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains(": Not a directory"), "\(result)")
    }

    @Test("Accepts folders with blanks in their names, and a .proto file in another folder")
    func blanks() throws {
        let project = try GeneratedProject()
        let other = project.folder + "/some protos"
        try FileManager.default.createDirectory(
            atPath: other + "/a", withIntermediateDirectories: true)
        try project.write(
            "some protos/a/b.proto", "syntax = \"proto3\"; package a; message M {}\n")
        try project.write(
            "some protos/order.proto",
            "syntax = \"proto3\"; import \"a/b.proto\"; service S { rpc go(a.M) returns (a.M); }\n")
        let result = try Programs.run(
            "rocket_generator",
            [
                "-i", other + "/order.proto", "-I", other, "-o", project.folder + "/an output",
                "--rocket", Programs.repository,
            ])
        #expect(result.status == 0, "\(result)")
        let root = project.folder + "/an output/order/"
        for name in ["Protos/a/b.proto", "Sources/Order/pb/a_b.pb.swift"] {
            #expect(FileManager.default.fileExists(atPath: root + name), "\(name)")
        }
    }

    @Test("Refuses a file without methods to serve", arguments: ["", "service S {}"])
    func nothing(service: String) throws {
        let project = try GeneratedProject()
        try project.write("order.proto", "syntax = \"proto3\"; \(service)\n")
        let result = try project.run([])
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("there is nothing to serve"))
    }

    @Test("Refuses a --rocket folder without Rocket")
    func noRocket() throws {
        let project = try GeneratedProject()
        let result = try project.generate(make, "--rocket", "/nowhere")
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("/nowhere"))
    }

    @Test("--help has examples, --version prints name and version")
    func help() throws {
        let help = try Programs.run("rocket_generator", ["--help"])
        #expect(help.status == 0 && help.output.contains("EXAMPLES"))
        let version = try Programs.run("rocket_generator", ["--version"])
        #expect(version.output.contains(/rocket_generator \d+\.\d+\.\d+/))
    }
}
