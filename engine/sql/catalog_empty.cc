// The catalogs of what connbench has none of, which clients look into: comments, inheritance,
// memberships of roles, policies, enums, ranges, settings of roles, publications, triggers, rules,
// extended statistics, extensions.
#include "engine/sql/system_views.h"

namespace connbench::engine {
namespace {

namespace t = type_oid;

constexpr SystemViewColumn kDescription[] = {
    {"objoid", t::kOid}, {"classoid", t::kOid}, {"objsubid", t::kInt4}, {"description", t::kText}};
constexpr SystemViewColumn kSharedDescription[] = {
    {"objoid", t::kOid}, {"classoid", t::kOid}, {"description", t::kText}};
constexpr SystemViewColumn kInherits[] = {{"inhrelid", t::kOid},
                                          {"inhparent", t::kOid},
                                          {"inhseqno", t::kInt4},
                                          {"inhdetachpending", t::kBool}};
constexpr SystemViewColumn kAuthMembers[] = {
    {"roleid", t::kOid}, {"member", t::kOid}, {"grantor", t::kOid}, {"admin_option", t::kBool}};
constexpr SystemViewColumn kPolicy[] = {{"oid", t::kOid},
                                        {"polname", t::kName},
                                        {"polrelid", t::kOid},
                                        {"polcmd", t::kChar},
                                        {"polpermissive", t::kBool},
                                        {"polroles", t::kOidArray},
                                        {"polqual", t::kPgNodeTree},
                                        {"polwithcheck", t::kPgNodeTree}};
constexpr SystemViewColumn kPublication[] = {
    {"oid", t::kOid},           {"pubname", t::kName},     {"pubowner", t::kOid},
    {"puballtables", t::kBool}, {"pubinsert", t::kBool},   {"pubupdate", t::kBool},
    {"pubdelete", t::kBool},    {"pubtruncate", t::kBool}, {"pubviaroot", t::kBool}};
constexpr SystemViewColumn kPublicationRel[] = {{"oid", t::kOid},
                                                {"prpubid", t::kOid},
                                                {"prrelid", t::kOid},
                                                {"prqual", t::kPgNodeTree},
                                                {"prattrs", t::kInt2Vector}};
constexpr SystemViewColumn kPublicationNamespace[] = {
    {"oid", t::kOid}, {"pnpubid", t::kOid}, {"pnnspid", t::kOid}};
constexpr SystemViewColumn kTrigger[] = {{"oid", t::kOid},
                                         {"tgrelid", t::kOid},
                                         {"tgparentid", t::kOid},
                                         {"tgname", t::kName},
                                         {"tgfoid", t::kOid},
                                         {"tgtype", t::kInt2},
                                         {"tgenabled", t::kChar},
                                         {"tgisinternal", t::kBool},
                                         {"tgconstrrelid", t::kOid},
                                         {"tgconstrindid", t::kOid},
                                         {"tgconstraint", t::kOid},
                                         {"tgdeferrable", t::kBool},
                                         {"tginitdeferred", t::kBool},
                                         {"tgnargs", t::kInt2},
                                         {"tgattr", t::kInt2Vector},
                                         {"tgargs", t::kBytea},
                                         {"tgqual", t::kPgNodeTree},
                                         {"tgoldtable", t::kName},
                                         {"tgnewtable", t::kName}};
constexpr SystemViewColumn kStatisticExt[] = {{"oid", t::kOid},
                                              {"stxrelid", t::kOid},
                                              {"stxname", t::kName},
                                              {"stxnamespace", t::kOid},
                                              {"stxowner", t::kOid},
                                              {"stxstattarget", t::kInt4},
                                              {"stxkeys", t::kInt2Vector},
                                              {"stxkind", t::kCharArray},
                                              {"stxexprs", t::kPgNodeTree}};
constexpr SystemViewColumn kExtension[] = {{"oid", t::kOid},
                                           {"extname", t::kName},
                                           {"extowner", t::kOid},
                                           {"extnamespace", t::kOid},
                                           {"extrelocatable", t::kBool},
                                           {"extversion", t::kText},
                                           {"extconfig", t::kOidArray},
                                           {"extcondition", t::kTextArray}};
constexpr SystemViewColumn kEnum[] = {{"oid", t::kOid},
                                      {"enumtypid", t::kOid},
                                      {"enumsortorder", t::kFloat4},
                                      {"enumlabel", t::kName}};
constexpr SystemViewColumn kRange[] = {{"rngtypid", t::kOid},      {"rngsubtype", t::kOid},
                                       {"rngmultitypid", t::kOid}, {"rngcollation", t::kOid},
                                       {"rngsubopc", t::kOid},     {"rngcanonical", t::kRegproc},
                                       {"rngsubdiff", t::kRegproc}};
constexpr SystemViewColumn kDefaultAcl[] = {{"oid", t::kOid},
                                            {"defaclrole", t::kOid},
                                            {"defaclnamespace", t::kOid},
                                            {"defaclobjtype", t::kChar},
                                            {"defaclacl", t::kAclItemArray}};
constexpr SystemViewColumn kRoleSetting[] = {
    {"setdatabase", t::kOid}, {"setrole", t::kOid}, {"setconfig", t::kTextArray}};

Status ReadNothing(const SystemViewInput& /*input*/, ViewRows& /*rows*/) { return {}; }

constexpr SystemView kEmptyCatalogs[] = {
    {"pg_auth_members", 1261, true, kAuthMembers, &ReadNothing},
    {"pg_db_role_setting", 2964, true, kRoleSetting, &ReadNothing},
    {"pg_default_acl", 826, true, kDefaultAcl, &ReadNothing},
    {"pg_description", 2609, true, kDescription, &ReadNothing},
    {"pg_enum", 3501, true, kEnum, &ReadNothing},
    {"pg_extension", 3079, true, kExtension, &ReadNothing},
    {"pg_inherits", 2611, true, kInherits, &ReadNothing},
    {"pg_policy", 3256, true, kPolicy, &ReadNothing},
    {"pg_publication", 6104, true, kPublication, &ReadNothing},
    {"pg_publication_namespace", 6237, true, kPublicationNamespace, &ReadNothing},
    {"pg_publication_rel", 6106, true, kPublicationRel, &ReadNothing},
    {"pg_range", 3541, true, kRange, &ReadNothing},
    {"pg_shdescription", 2396, true, kSharedDescription, &ReadNothing},
    {"pg_statistic_ext", 3381, true, kStatisticExt, &ReadNothing},
    {"pg_trigger", 2620, true, kTrigger, &ReadNothing},
};

}  // namespace

std::span<const SystemView> EmptyCatalogs() { return kEmptyCatalogs; }

}  // namespace connbench::engine
