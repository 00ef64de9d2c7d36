/// Content of a project's folder, as far as a plan needs it.
struct FolderState {
    private let read: (String) -> String?
    /// Texts of the existing generated files, by path.
    let generated: [String: String]
    /// Hashes of the .proto files when they were copied, by path.
    private let copied: [String: String]
    /// Records of the methods from the previous run.
    let methods: [MethodRecord.Entry]
    /// Paths of the .proto files with services at the previous run, relative to Protos/.
    let inputs: Set<String>

    /// - Parameters:
    ///   - generated: texts of the existing generated files, by path.
    ///   - read: returns the text of a file by its path in the folder; nil if there is no such file.
    init(generated: [String: String] = [:], read: @escaping (String) -> String?) {
        self.read = read
        self.generated = generated
        let records = generated.values.compactMap(ProtoRecord.init(reading:))
        copied = Dictionary(
            records.map { ("Protos/\($0.path)", $0.hash) }, uniquingKeysWith: { first, _ in first })
        inputs = Set(
            generated.filter { $0.key.hasSuffix(".rocket.swift") }.compactMap {
                ProtoRecord(reading: $0.value)?.path
            })
        methods = generated.sorted { $0.key < $1.key }.flatMap {
            MethodRecord(reading: $0.value).entries
        }
    }

    /// Creates the state of a folder with only these files.
    init(files: [String: String]) {
        self.init(generated: files.filter { $0.key.hasSuffix(".swift") }) { files[$0] }
    }

    /// Full names of the services at the previous run.
    var services: Set<String> { Set(methods.map(\.service)) }

    func text(_ path: String) -> String? { read(path) }

    func copiedHash(of path: String) -> String? { copied[path] }

    /// Returns `FILE.mine`, with a number after it if that file exists: no version is overwritten.
    func freeName(beside path: String) -> String {
        var name = "\(path).mine"
        var number = 2
        while read(name) != nil {
            name = "\(path).mine\(number)"
            number += 1
        }
        return name
    }
}
