/// What a project's folder holds, as far as a plan asks.
struct FolderState {
    private let read: (String) -> String?
    /// The generated files that are there, by path.
    let generated: [String: String]
    /// Protos as they were when they were copied last, by path below the project's folder.
    private let copied: [String: String]
    /// The methods when the services were written last.
    let methods: [MethodRecord.Entry]

    /// - Parameters:
    ///   - generated: the generated files that are there, by path.
    ///   - read: a file's text by its path below the folder; nil where there is none.
    init(generated: [String: String] = [:], read: @escaping (String) -> String?) {
        self.read = read
        self.generated = generated
        let records = generated.values.compactMap(ProtoRecord.init(reading:))
        copied = Dictionary(
            records.map { ("Protos/\($0.path)", $0.hash) }, uniquingKeysWith: { first, _ in first })
        methods = generated.sorted { $0.key < $1.key }.flatMap {
            MethodRecord(reading: $0.value).entries
        }
    }

    /// A folder with just these files.
    init(files: [String: String]) {
        self.init(generated: files.filter { $0.key.hasSuffix(".swift") }) { files[$0] }
    }

    func text(_ path: String) -> String? { read(path) }

    func copiedHash(of path: String) -> String? { copied[path] }

    /// `FILE.mine`, or with a number behind it: earlier ones are kept as well.
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
