import EndToEndKit
import Foundation
import Testing

/// What becomes of a project when rocket_generator runs over it again.
struct RegenerationTests {
    private let make = "  rpc make(Want) returns (Bill);"
    private let find = "  rpc find(Want) returns (Bill);"

    /// The files that are the user's: all but what is renewed.
    private func yours(_ files: [String: Data]) -> [String: Data] {
        files.filter {
            !$0.key.hasPrefix("Sources/Order/pb") && !$0.key.hasPrefix("Sources/Order/service")
                && !$0.key.hasPrefix("Protos") && $0.key != "Package.swift"
        }
    }

    @Test("New, removed and renamed methods change no byte of yours")
    func methodsComeAndGo() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        for name in yours(project.files()).keys { try project.edit(name) }
        try project.edit("Package.swift")
        let edited = yours(project.files())

        let added = try project.generate(make + "\n" + find)
        #expect(added.status == 0 && added.errors.isEmpty, "\(added)")
        #expect(added.output.contains("new method Order.find"))
        #expect(project.text("Sources/Order/interface/Find.swift") != nil)
        #expect(project.text("Tests/OrderTests/FindTests.swift") != nil)
        #expect(project.text("test_client/test_find_client.swift") != nil)
        let manifest = try #require(project.text("Package.swift"))
        #expect(manifest.contains("test_find_client") && manifest.hasSuffix("// mine\n"))
        #expect(yours(project.files()).filter { edited.keys.contains($0.key) } == edited)

        let both = yours(project.files())
        let renamed = try project.generate(make + "\n  rpc search(Want) returns (Bill);")
        #expect(renamed.output.contains("new method Order.search"))
        #expect(renamed.output.contains("Order.find is gone"), "\(renamed)")
        #expect(renamed.output.contains("Sources/Order/interface/Find.swift"))
        #expect(yours(project.files()).filter { both.keys.contains($0.key) } == both)
    }

    @Test("Another signature is told")
    func signature() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        let ending = try project.generate("  rpc make(Bill) returns (Bill);")
        #expect(
            ending.output.contains("Order.make was (Want) returns (Bill) and is (Bill) returns"),
            "\(ending)")
    }

    @Test("A generated file that was edited is kept beside the new one")
    func editedGenerated() throws {
        let project = try GeneratedProject()
        let name = "Sources/Order/service/OrderServiceImpl.swift"
        _ = try project.generate(make)
        let fresh = project.text(name)
        try project.edit(name)
        let edited = project.text(name)
        let ending = try project.generate(make)
        #expect(ending.status == 0)
        #expect(ending.errors.contains("\(name) was changed by hand: kept as \(name).mine"))
        #expect(project.text(name) == fresh)
        #expect(project.text(name + ".mine") == edited)
    }

    @Test("--force-user-files writes yours anew and keeps what was there")
    func force() throws {
        let project = try GeneratedProject()
        let name = "Sources/Order/interface/Make.swift"
        _ = try project.generate(make)
        let fresh = project.text(name)
        try project.edit(name)
        let edited = project.text(name)
        let ending = try project.generate(make, "--force-user-files")
        #expect(ending.status == 0, "\(ending)")
        #expect(project.text(name) == fresh && project.text(name + ".mine") == edited)
    }

    @Test("What was generated for a service that is gone is removed; its interfaces stay")
    func serviceGone() throws {
        let project = try GeneratedProject()
        let old = "Sources/Order/service/OrderServiceImpl.swift"
        _ = try project.generate(make)
        let before = yours(project.files())
        let proto = try String(contentsOfFile: project.folder + "/order.proto", encoding: .utf8)
        try project.write("order.proto", proto.replacing("service Order", with: "service Buy"))
        let ending = try project.run([])
        #expect(ending.status == 0 && ending.output.contains("removed  \(old)"), "\(ending)")
        #expect(ending.output.contains("Order.make is gone, its files are yours to delete"))
        #expect(ending.output.contains("new service Buy: serve BuyServiceImpl(resources)"))
        #expect(project.text(old) == nil)
        #expect(yours(project.files()).filter { before.keys.contains($0.key) } == before)
    }

    @Test("A project whose folder has another name by now is renewed in its place")
    func movedFolder() throws {
        let project = try GeneratedProject()
        _ = try project.generate(make)
        let moved = project.folder + "/elsewhere"
        try FileManager.default.moveItem(atPath: project.path, toPath: moved)
        let ending = try Programs.run(
            "rocket_generator",
            ["-i", moved + "/Protos/order.proto", "-o", moved, "--rocket", Programs.repository])
        #expect(ending.output == "\(moved): nothing to write\n", "\(ending)")
        #expect(!FileManager.default.fileExists(atPath: moved + "/order"))
    }

    @Test("A run that was interrupted is finished by the next one")
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
