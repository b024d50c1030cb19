import { Router } from "../../../src/toolkit/router.ts";
const router = new Router();
router.get("/section0/:user_0/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_0: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section1/:user_1/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_1: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section2/:user_2/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_2: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section3/:user_3/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_3: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section4/:user_4/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_4: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section5/:user_5/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_5: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section6/:user_6/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_6: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section7/:user_7/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_7: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section8/:user_8/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_8: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section9/:user_9/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_9: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section10/:user_10/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_10: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section11/:user_11/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_11: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section12/:user_12/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_12: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section13/:user_13/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_13: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section14/:user_14/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_14: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section15/:user_15/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_15: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section16/:user_16/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_16: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section17/:user_17/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_17: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section18/:user_18/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_18: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section19/:user_19/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_19: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section20/:user_20/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_20: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section21/:user_21/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_21: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section22/:user_22/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_22: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section23/:user_23/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_23: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section24/:user_24/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_24: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section25/:user_25/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_25: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section26/:user_26/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_26: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section27/:user_27/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_27: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section28/:user_28/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_28: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section29/:user_29/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_29: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section30/:user_30/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_30: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section31/:user_31/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_31: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section32/:user_32/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_32: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section33/:user_33/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_33: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section34/:user_34/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_34: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section35/:user_35/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_35: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section36/:user_36/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_36: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section37/:user_37/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_37: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section38/:user_38/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_38: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section39/:user_39/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_39: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section40/:user_40/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_40: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section41/:user_41/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_41: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section42/:user_42/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_42: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section43/:user_43/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_43: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section44/:user_44/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_44: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section45/:user_45/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_45: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section46/:user_46/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_46: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section47/:user_47/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_47: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section48/:user_48/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_48: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section49/:user_49/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_49: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section50/:user_50/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_50: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section51/:user_51/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_51: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section52/:user_52/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_52: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section53/:user_53/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_53: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section54/:user_54/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_54: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section55/:user_55/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_55: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section56/:user_56/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_56: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section57/:user_57/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_57: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section58/:user_58/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_58: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section59/:user_59/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_59: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section60/:user_60/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_60: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section61/:user_61/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_61: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section62/:user_62/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_62: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section63/:user_63/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_63: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section64/:user_64/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_64: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section65/:user_65/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_65: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section66/:user_66/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_66: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section67/:user_67/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_67: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section68/:user_68/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_68: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section69/:user_69/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_69: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section70/:user_70/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_70: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section71/:user_71/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_71: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section72/:user_72/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_72: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section73/:user_73/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_73: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section74/:user_74/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_74: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section75/:user_75/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_75: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section76/:user_76/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_76: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section77/:user_77/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_77: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section78/:user_78/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_78: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section79/:user_79/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_79: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section80/:user_80/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_80: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section81/:user_81/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_81: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section82/:user_82/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_82: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section83/:user_83/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_83: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section84/:user_84/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_84: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section85/:user_85/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_85: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section86/:user_86/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_86: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section87/:user_87/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_87: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section88/:user_88/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_88: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section89/:user_89/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_89: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section90/:user_90/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_90: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section91/:user_91/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_91: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section92/:user_92/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_92: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section93/:user_93/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_93: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section94/:user_94/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_94: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section95/:user_95/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_95: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section96/:user_96/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_96: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section97/:user_97/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_97: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section98/:user_98/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_98: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section99/:user_99/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_99: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section100/:user_100/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_100: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section101/:user_101/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_101: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section102/:user_102/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_102: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section103/:user_103/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_103: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section104/:user_104/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_104: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section105/:user_105/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_105: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section106/:user_106/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_106: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section107/:user_107/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_107: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section108/:user_108/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_108: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section109/:user_109/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_109: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section110/:user_110/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_110: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section111/:user_111/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_111: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section112/:user_112/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_112: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section113/:user_113/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_113: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section114/:user_114/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_114: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section115/:user_115/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_115: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section116/:user_116/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_116: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section117/:user_117/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_117: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section118/:user_118/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_118: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section119/:user_119/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_119: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section120/:user_120/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_120: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section121/:user_121/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_121: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section122/:user_122/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_122: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section123/:user_123/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_123: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section124/:user_124/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_124: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section125/:user_125/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_125: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section126/:user_126/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_126: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section127/:user_127/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_127: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section128/:user_128/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_128: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section129/:user_129/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_129: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section130/:user_130/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_130: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section131/:user_131/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_131: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section132/:user_132/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_132: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section133/:user_133/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_133: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section134/:user_134/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_134: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section135/:user_135/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_135: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section136/:user_136/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_136: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section137/:user_137/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_137: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section138/:user_138/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_138: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section139/:user_139/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_139: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section140/:user_140/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_140: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section141/:user_141/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_141: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section142/:user_142/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_142: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section143/:user_143/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_143: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section144/:user_144/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_144: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section145/:user_145/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_145: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section146/:user_146/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_146: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section147/:user_147/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_147: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section148/:user_148/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_148: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section149/:user_149/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_149: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section150/:user_150/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_150: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section151/:user_151/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_151: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section152/:user_152/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_152: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section153/:user_153/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_153: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section154/:user_154/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_154: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section155/:user_155/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_155: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section156/:user_156/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_156: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section157/:user_157/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_157: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section158/:user_158/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_158: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section159/:user_159/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_159: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section160/:user_160/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_160: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section161/:user_161/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_161: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section162/:user_162/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_162: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section163/:user_163/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_163: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section164/:user_164/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_164: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section165/:user_165/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_165: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section166/:user_166/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_166: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section167/:user_167/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_167: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section168/:user_168/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_168: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section169/:user_169/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_169: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section170/:user_170/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_170: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section171/:user_171/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_171: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section172/:user_172/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_172: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section173/:user_173/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_173: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section174/:user_174/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_174: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section175/:user_175/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_175: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section176/:user_176/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_176: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section177/:user_177/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_177: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section178/:user_178/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_178: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section179/:user_179/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_179: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section180/:user_180/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_180: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section181/:user_181/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_181: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section182/:user_182/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_182: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section183/:user_183/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_183: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section184/:user_184/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_184: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section185/:user_185/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_185: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section186/:user_186/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_186: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section187/:user_187/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_187: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section188/:user_188/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_188: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section189/:user_189/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_189: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section190/:user_190/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_190: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section191/:user_191/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_191: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section192/:user_192/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_192: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section193/:user_193/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_193: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section194/:user_194/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_194: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section195/:user_195/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_195: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section196/:user_196/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_196: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section197/:user_197/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_197: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section198/:user_198/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_198: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section199/:user_199/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_199: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section200/:user_200/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_200: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section201/:user_201/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_201: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section202/:user_202/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_202: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section203/:user_203/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_203: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section204/:user_204/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_204: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section205/:user_205/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_205: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section206/:user_206/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_206: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section207/:user_207/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_207: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section208/:user_208/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_208: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section209/:user_209/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_209: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section210/:user_210/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_210: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section211/:user_211/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_211: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section212/:user_212/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_212: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section213/:user_213/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_213: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section214/:user_214/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_214: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section215/:user_215/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_215: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section216/:user_216/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_216: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section217/:user_217/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_217: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section218/:user_218/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_218: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section219/:user_219/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_219: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section220/:user_220/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_220: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section221/:user_221/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_221: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section222/:user_222/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_222: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section223/:user_223/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_223: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section224/:user_224/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_224: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section225/:user_225/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_225: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section226/:user_226/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_226: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section227/:user_227/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_227: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section228/:user_228/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_228: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section229/:user_229/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_229: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section230/:user_230/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_230: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section231/:user_231/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_231: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section232/:user_232/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_232: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section233/:user_233/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_233: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section234/:user_234/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_234: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section235/:user_235/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_235: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section236/:user_236/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_236: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section237/:user_237/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_237: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section238/:user_238/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_238: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section239/:user_239/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_239: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section240/:user_240/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_240: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section241/:user_241/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_241: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section242/:user_242/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_242: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section243/:user_243/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_243: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section244/:user_244/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_244: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section245/:user_245/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_245: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section246/:user_246/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_246: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section247/:user_247/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_247: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section248/:user_248/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_248: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section249/:user_249/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_249: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section250/:user_250/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_250: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section251/:user_251/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_251: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section252/:user_252/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_252: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section253/:user_253/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_253: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section254/:user_254/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_254: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section255/:user_255/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_255: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section256/:user_256/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_256: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section257/:user_257/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_257: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section258/:user_258/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_258: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section259/:user_259/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_259: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section260/:user_260/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_260: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section261/:user_261/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_261: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section262/:user_262/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_262: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section263/:user_263/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_263: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section264/:user_264/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_264: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section265/:user_265/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_265: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section266/:user_266/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_266: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section267/:user_267/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_267: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section268/:user_268/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_268: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section269/:user_269/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_269: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section270/:user_270/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_270: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section271/:user_271/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_271: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section272/:user_272/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_272: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section273/:user_273/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_273: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section274/:user_274/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_274: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section275/:user_275/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_275: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section276/:user_276/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_276: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section277/:user_277/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_277: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section278/:user_278/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_278: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section279/:user_279/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_279: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section280/:user_280/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_280: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section281/:user_281/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_281: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section282/:user_282/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_282: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section283/:user_283/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_283: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section284/:user_284/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_284: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section285/:user_285/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_285: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section286/:user_286/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_286: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section287/:user_287/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_287: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section288/:user_288/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_288: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section289/:user_289/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_289: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section290/:user_290/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_290: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section291/:user_291/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_291: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section292/:user_292/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_292: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section293/:user_293/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_293: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section294/:user_294/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_294: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section295/:user_295/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_295: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section296/:user_296/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_296: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section297/:user_297/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_297: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section298/:user_298/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_298: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
router.get("/section299/:user_299/{item:\\d+}/*rest", async (scope, _receive, send) => {
  const { user_299: user, item, rest } = scope.path_params;
  await send({ type: "http.response.start", status: 200, headers: [["x", user + item + rest]] });
});
export default router;
