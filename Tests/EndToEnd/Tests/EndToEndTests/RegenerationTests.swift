import EndToEndKit
import Foundation
import Testing

/// Later runs of rocket_generator over the same project.
struct RegenerationTests {
    private let make = "  rpc make(Request) returns (Reply);"
    private let find = "  rpc find(Request) returns (Reply);"

    /// The files that belong to the user: all that are not regenerated.
    private func userFiles(_ files: [String: Data]) -> [String: Data] {
        files.filter {
            !$0.key.hasPrefix("Sources/Order/pb") && !$0.key.hasPrefix("Sources/Order/service")
                && !$0.key.hasPrefix("Protos") && !$0.key.hasPrefix("test_client")
                && $0.key != "Package.swift"
        }
    }

    @Test("New, removed and renamed methods change no byte of the user's files")
    func changedMethods() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        for name in userFiles(project.files()).keys { try project.edit(name) }
        try project.edit("Package.swift")
        let edited = userFiles(project.files())

        let added = try project.generate(make + "\n" + find)
        #expect(added.status == 0 && added.errors.isEmpty, "\(added)")
        #expect(added.output.contains("new method Order.find"))
        #expect(project.text("Sources/Order/interface/Find.swift") != nil)
        #expect(project.text("Tests/OrderTests/FindTests.swift") != nil)
        let client = try #require(project.text("test_client/test_order_client/main.swift"))
        #expect(client.contains(".init(OrderMethods.find),"))
        let manifest = try #require(project.text("Package.swift"))
        #expect(manifest.contains("test_order_client") && manifest.hasSuffix("// mine\n"))
        #expect(userFiles(project.files()).filter { edited.keys.contains($0.key) } == edited)

        let both = userFiles(project.files())
        let renamed = try project.generate(make + "\n  rpc search(Request) returns (Reply);")
        #expect(renamed.output.contains("new method Order.search"))
        #expect(renamed.output.contains("Order.find is gone"), "\(renamed)")
        #expect(renamed.output.contains("Sources/Order/interface/Find.swift"))
        #expect(userFiles(project.files()).filter { both.keys.contains($0.key) } == both)
    }

    @Test("Reports a changed signature")
    func signature() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        let result = try project.generate("  rpc make(Reply) returns (Reply);")
        #expect(
            result.output.contains(
                "Order.make was (Request) returns (Reply) and is (Reply) returns"),
            "\(result)")
    }

    @Test("A method that becomes a stream is reported, and its files stay as they are")
    func changedKind() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        try project.edit("Sources/Order/interface/Make.swift")
        let before = userFiles(project.files())
        let stream = "  rpc make(Request) returns (stream Reply);"
        let result = try project.generate(stream)
        #expect(
            result.output.contains(
                "Order.make was (Request) returns (Reply) and is (Request) returns (stream Reply): "
                    + "change Sources/Order/interface/Make.swift, Tests/OrderTests/MakeTests.swift"),
            "\(result)")
        #expect(userFiles(project.files()) == before)
        let diff = try project.generate(stream, "--diff", "--force-user-files")
        #expect(diff.output.contains("+    public func make("), "\(diff)")
        let back = try project.generate(make)
        #expect(back.output.contains("Order.make was (Request) returns (stream Reply)"))
        #expect(userFiles(project.files()) == before)
    }

    @Test("Keeps a generated file that was edited beside the new one")
    func editedGenerated() throws {
        let project = try GeneratedProject()
        let name = "Sources/Order/service/OrderServiceImpl.swift"
        _ = try project.generate(make)
        let fresh = project.text(name)
        try project.edit(name)
        let edited = project.text(name)
        let result = try project.generate(make)
        #expect(result.status == 0)
        #expect(result.errors.contains("\(name) was changed by hand: kept as \(name).mine"))
        #expect(project.text(name) == fresh)
        #expect(project.text(name + ".mine") == edited)
    }

    @Test("--force-user-files rewrites the user's files and keeps the old ones")
    func force() throws {
        let project = try GeneratedProject()
        let name = "Sources/Order/interface/Make.swift"
        _ = try project.generate(make)
        let fresh = project.text(name)
        try project.edit(name)
        let edited = project.text(name)
        let result = try project.generate(make, "--force-user-files")
        #expect(result.status == 0, "\(result)")
        #expect(project.text(name) == fresh && project.text(name + ".mine") == edited)
    }

    @Test("Removes the generated files of a removed service; its interfaces stay")
    func removedService() throws {
        let project = try GeneratedProject()
        let old = "Sources/Order/service/OrderServiceImpl.swift"
        _ = try project.generate(make)
        let before = userFiles(project.files())
        let proto = try #require(project.text("Protos/order.proto"))
        try project.write(
            "order/Protos/order.proto", proto.replacing("service Order", with: "service Buy"))
        let result = try Programs.run(
            "rocket_generator",
            [
                "-i", project.path + "/Protos/order.proto", "-o", project.folder,
                "--rocket", Programs.repository,
            ])
        #expect(result.status == 0 && result.output.contains("removed  \(old)"), "\(result)")
        #expect(result.output.contains("Order.make is gone, its files are yours to delete"))
        #expect(result.output.contains("new service Buy: serve BuyServiceImpl(resources)"))
        #expect(project.text(old) == nil)
        #expect(userFiles(project.files()).filter { before.keys.contains($0.key) } == before)
    }

    @Test("Refuses to take over the project of another service")
    func otherService() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        let files = project.files()
        try project.write(
            "order.proto",
            "syntax = \"proto3\"; message M {} service Other { rpc go(M) returns (M); }\n")
        let result = try project.run([])
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("order is the project of Order"))
        #expect(project.files() == files)
    }

    @Test("Renews a project whose line ends became CR LF")
    func crlf() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        for (name, data) in project.files() {
            let text = String(decoding: data, as: UTF8.self)
            try project.write("order/" + name, text.replacing("\n", with: "\r\n"))
        }
        let result = try project.generate(make + "\n" + find)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(result.output.contains("new method Order.find"))
        #expect(!project.files().keys.contains { $0.contains(".mine") })
    }

    @Test("Regenerates a project in its folder after that was renamed")
    func movedFolder() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        let moved = project.folder + "/elsewhere"
        try FileManager.default.moveItem(atPath: project.path, toPath: moved)
        let result = try Programs.run(
            "rocket_generator",
            ["-i", moved + "/Protos/order.proto", "-o", moved, "--rocket", Programs.repository])
        #expect(result.output == "\(moved): nothing to write\n", "\(result)")
        #expect(!FileManager.default.fileExists(atPath: moved + "/order"))
    }

    @Test("Completes a project after an interrupted run")
    func interrupted() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        let whole = project.files()
        for name in ["Makefile", "Sources/Order/pb/order.rocket.swift", "conf/rocket.xml"] {
            try FileManager.default.removeItem(atPath: project.path + "/" + name)
        }
        _ = try project.generate(make)
        #expect(project.files() == whole)
    }
}
