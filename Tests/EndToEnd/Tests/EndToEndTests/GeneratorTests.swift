import EndToEndKit
import Foundation
import Testing

/// What a person sees who runs rocket_generator, first and again; Tests/Generator builds what it
/// writes.
struct GeneratorTests {
    private let make = "  rpc make(Want) returns (Bill);"
    private let find = "  rpc find(Want) returns (Bill);"

    @Test("An empty folder gets the whole project, and a second run changes nothing")
    func tree() throws {
        let project = try GeneratedProject()
        let ending = try project.generate(make)
        #expect(ending.status == 0, "\(ending)")
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
                "test_client/test_make_client.swift",
            ])
        #expect(FileManager.default.isExecutableFile(atPath: project.path + "/bin/run.sh"))
        let again = try project.generate(make)
        #expect(again.output == "\(project.path): nothing to write\n", "\(again)")
        #expect(project.files() == files)
    }

    @Test("--diff and --dry-run show what would happen and write nothing")
    func showsFirst() throws {
        let project = try GeneratedProject()
        let first = try project.generate(make, "--diff")
        #expect(first.output.contains("+++ b/Sources/Order/interface/Make.swift"), "\(first)")
        #expect(!FileManager.default.fileExists(atPath: project.path))
        _ = try project.generate(make)
        let files = project.files()
        let diff = try project.generate(make + "\n" + find, "--diff")
        #expect(diff.output.contains("+    \"test_find_client\","), "\(diff)")
        #expect(diff.output.contains("new method Order.find"))
        let dry = try project.generate(make + "\n" + find, "--dry-run")
        #expect(dry.output.contains("new      Sources/Order/interface/Find.swift"), "\(dry)")
        #expect(project.files() == files)
    }

    @Test("What is wrong in the .proto is told as protoc tells it, and nothing is written")
    func wrongProto() throws {
        let project = try GeneratedProject()
        let ending = try project.generate("  rpc make(Want) returns (Bil);")
        #expect(ending.status == 1 && ending.output.isEmpty)
        #expect(ending.errors.contains("order.proto:5:27: \"Bil\" is not defined."), "\(ending)")
        #expect(!FileManager.default.fileExists(atPath: project.path))
    }

    @Test("A streaming method is refused by its name and place")
    func stream() throws {
        let project = try GeneratedProject()
        let ending = try project.generate("  rpc make(Want) returns (stream Bill);")
        #expect(ending.status == 1)
        #expect(ending.errors.contains("order.proto:5:3: method 'Order.make' streams"), "\(ending)")
    }

    @Test("A missing protoc is told with how to get it")
    func noProtoc() throws {
        let project = try GeneratedProject()
        try project.write("order.proto", "syntax = \"proto3\";")
        let ending = try Programs.run(
            "rocket_generator", ["-i", project.folder + "/order.proto", "-o", project.folder],
            environment: ["PATH": "/nowhere"])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("apt-get install protobuf-compiler"))
    }

    @Test("Somebody else's package is left alone")
    func stranger() throws {
        let project = try GeneratedProject()
        try FileManager.default.createDirectory(
            atPath: project.path, withIntermediateDirectories: true)
        try project.write("order/Package.swift", "// theirs\n")
        let ending = try project.generate(make)
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("holds another package"))
        #expect(Array(project.files().keys) == ["Package.swift"])
    }

    @Test(
        "What can't be understood is one clear line that names it",
        arguments: [
            (["-i", "/no/such.proto", "-o", "."], "/no/such.proto"),
            (["-i", "x.proto"], "output"), (["-i", "x", "-o", ".", "--imput"], "--imput"),
            (["-i", "x.proto", "-o", ".", "--port", "99999"], "99999"),
        ])
    func usage(arguments: [String], text: String) throws {
        let ending = try Programs.run("rocket_generator", arguments)
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains(text), "\(ending)")
    }

    @Test("A folder that can't be written to is told in one line")
    func notWritable() throws {
        let project = try GeneratedProject()
        // Not a folder: root may write into any.
        try project.write("order", "mine")
        let ending = try project.generate(make)
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains(": Not a directory"), "\(ending)")
    }

    @Test("A folder with blanks in its name, and a .proto file in another one, are fine")
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
        let ending = try Programs.run(
            "rocket_generator",
            [
                "-i", other + "/order.proto", "-I", other, "-o", project.folder + "/an output",
                "--rocket", Programs.repository,
            ])
        #expect(ending.status == 0, "\(ending)")
        let place = project.folder + "/an output/order/"
        for name in ["Protos/a/b.proto", "Sources/Order/pb/a_b.pb.swift"] {
            #expect(FileManager.default.fileExists(atPath: place + name), "\(name)")
        }
    }

    @Test("A file with nothing to serve is refused", arguments: ["", "service S {}"])
    func nothing(service: String) throws {
        let project = try GeneratedProject()
        try project.write("order.proto", "syntax = \"proto3\"; \(service)\n")
        let ending = try project.run([])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("there is nothing to serve"))
    }

    @Test("--rocket must name Rocket")
    func noRocket() throws {
        let project = try GeneratedProject()
        let ending = try project.generate(make, "--rocket", "/nowhere")
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("/nowhere"))
    }

    @Test("--help teaches by example, --version says what it is")
    func help() throws {
        let help = try Programs.run("rocket_generator", ["--help"])
        #expect(help.status == 0 && help.output.contains("EXAMPLES"))
        let version = try Programs.run("rocket_generator", ["--version"])
        #expect(version.output.contains(/rocket_generator \d+\.\d+\.\d+/))
    }
}
