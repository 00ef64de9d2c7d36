import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

@Suite("Source of Rocket")
struct RocketSourceTests {
    private func source(_ text: String) throws -> RocketSource {
        try RocketSource(text) { "/abs/\($0)" }
    }

    @Test("A folder names each package by its path in the folder of the manifest's constant")
    func folder() throws {
        let source = try source("rocket")
        #expect(source == .folder("/abs/rocket"))
        #expect(
            source.dependencies.contains(".package(path: \"\\(rocket)/Packages/RocketRPC\"),"))
        #expect(
            source.product("RocketRPC") == ".product(name: \"RocketRPC\", package: \"RocketRPC\")")
    }

    @Test(
        "A URL names one package at a branch, a version or a commit",
        arguments: [
            ("https://h/o/rocket.git", "branch: \"main\""),
            ("https://h/o/rocket.git#next", "branch: \"next\""),
            ("git@h:o/rocket.git#1.2.0", "from: \"1.2.0\""),
            (
                "file:///o/rocket#0123456789abcdef0123456789abcdef01234567",
                "revision: \"0123456789abcdef0123456789abcdef01234567\""
            ),
        ])
    func url(text: String, requirement: String) throws {
        let source = try source(text)
        let url = text.split(separator: "#")[0]
        #expect(source.dependencies == [".package(url: \"\(url)\", \(requirement)),"])
        #expect(
            source.product("RocketRPC") == ".product(name: \"RocketRPC\", package: \"rocket\")")
    }

    @Test(
        "A folder is named by its path relative to the project",
        arguments: [
            ("/home/a/rocket", "/home/a/order", "../rocket"),
            ("/home/a/rocket", "/home/a/rocket/x/order", "../.."),
            ("/usr/share/rocket", "/home/a/order", "../../../usr/share/rocket"),
            ("/a", "/a", "."),
        ])
    func relative(rocket: String, project: String, path: String) {
        #expect(RocketSource.folder(rocket).named(in: project) == .folder(path))
    }

    @Test("Is read from the manifest of an existing project")
    func fromManifest() throws {
        for rocket in ["../rocket", "https://h/o/rocket.git#1.2.0", "git@h:o/r#next"] {
            var project = try Sample.project(Sample.order)
            project.rocket = try RocketSource(rocket) { $0 }
            let manifest = ManifestTemplate(project: project).lines.text
            #expect(RocketSource(manifest: manifest) == project.rocket)
        }
        #expect(RocketSource(manifest: "let package = Package()") == nil)
    }

    @Test("Rejects text that would break a manifest", arguments: ["https://h/\"x", "https://h/r#"])
    func refused(text: String) {
        #expect(throws: GeneratorFailure.self) { try source(text) }
    }
}
