// The log of a repository, with libgit2: node examples/from-koffi/git.mjs FOLDER
// The same for koffi: git.koffi.mjs.
import { dlopen } from 'pinned-ffi';
const { symbols: git, types } = dlopen('git2', `
  typedef struct git_repository git_repository; typedef struct git_revwalk git_revwalk;
  typedef struct git_commit git_commit; typedef struct { uint8_t id[20]; } git_oid;
  typedef struct { const char *name; const char *email; int64_t time; int offset; char sign; } git_signature;
  typedef struct { const char *message; int klass; } git_error;
  int git_libgit2_init(void);
  int git_repository_open(_Out_ git_repository **out, const char *path);
  int git_revwalk_new(_Out_ git_revwalk **out, git_repository *repo);
  int git_revwalk_push_head(git_revwalk *walk);
  int git_revwalk_next(git_oid *out, git_revwalk *walk);
  int git_commit_lookup(_Out_ git_commit **commit, git_repository *repo, const git_oid *id);
  const char *git_commit_summary(git_commit *commit);
  const git_signature *git_commit_author(const git_commit *commit);
  const git_error *git_error_last(void);
  void git_commit_free(git_commit *commit);
  void git_revwalk_free(git_revwalk *walk);
  void git_repository_free(git_repository *repo);
`);
git.git_libgit2_init();
const { out: [repo] } = git.git_repository_open(process.argv[2]);
const { out: [walk] } = git.git_revwalk_new(repo);
git.git_revwalk_push_head(walk);
for (const id = types.git_oid.alloc(); git.git_revwalk_next(id, walk) === 0; ) {
  const { out: [commit] } = git.git_commit_lookup(repo, id);
  const author = types.git_signature.read(git.git_commit_author(commit));
  console.log(Buffer.from(id.id).toString('hex'), author.name, git.git_commit_summary(commit));
  git.git_commit_free(commit);
}
if (git.git_repository_open('/nowhere').returns < 0) console.log(types.git_error.read(git.git_error_last()).message);
git.git_revwalk_free(walk);
git.git_repository_free(repo);
